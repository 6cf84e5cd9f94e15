/** Listings of tags and referrers, as the OCI distribution specification has it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  imageManifest,
  imageType,
  indexType,
  pushImage,
  sha256,
  openTestRegistry,
  type OpenTestRegistry,
  type RegistryClient,
} from "#testing/registry.ts";

let opened: OpenTestRegistry;
let client: RegistryClient;

beforeAll(async () => {
  opened = await openTestRegistry();
  client = opened.client;
});

afterAll(() => opened?.[Symbol.asyncDispose]());

const unknownDigest = sha256("never pushed");

describe("listing tags", () => {
  const tags = ["Z", "a", "b1", "b10", "b2", "c"];
  beforeAll(async () => {
    for (const tag of tags.toReversed()) await pushImage(client, { repository: "tags", tag });
  });
  const list = async (query: string) => {
    const { status, body, headers } = await client("GET", `/v2/tags/tags/list${query}`);
    expect(status).toBe(200);
    const { name, tags: found } = JSON.parse(body.toString()) as { name: string; tags: string[] };
    expect(name).toBe("tags");
    return { found, link: headers["link"] };
  };

  test("all come, in the order of their bytes", async () => {
    expect(await list("")).toEqual({ found: tags, link: undefined });
  });

  test("n limits, last goes on behind it, and Link leads through all pages", async () => {
    expect((await list("?n=0")).found).toEqual([]);
    expect((await list("?last=b1")).found).toEqual(["b10", "b2", "c"]);
    expect((await list("?n=2&last=no-such-tag")).found).toEqual([]);
    const seen: string[] = [];
    let query: string | undefined = "?n=4";
    while (query) {
      const { found, link } = await list(query);
      seen.push(...found);
      query = link && /^<[^?]+(\?[^>]+)>; rel="next"$/.exec(link)?.[1];
    }
    expect(seen).toEqual(tags);
  });

  test.each(["?n=x", "?n=-1", "?n=1.5", "?last=%00", "?last=a/b"])("%s is refused", async (query) => {
    expect((await client("GET", `/v2/tags/tags/list${query}`)).status).toBe(400);
  });

  test("an unknown repository is NAME_UNKNOWN", async () => {
    const { status, code } = await client("GET", "/v2/no/such/tags/list");
    expect([status, code]).toEqual([404, "NAME_UNKNOWN"]);
  });
});

describe("referrers", () => {
  const referrers = async (digest: string, query = "") => {
    const { status, headers, body } = await client("GET", `/v2/refers/referrers/${digest}${query}`);
    expect([status, headers["content-type"]]).toEqual([200, indexType]);
    const { manifests } = JSON.parse(body.toString()) as { manifests: Record<string, unknown>[] };
    return { manifests, filter: headers["oci-filters-applied"], link: headers["link"] };
  };
  const about = (digest: string) => ({ subject: { mediaType: imageType, digest, size: 1 } });

  test("what is about a manifest is listed with its type and annotations, also when the manifest came later", async () => {
    const subject = imageManifest({ config: '{"image":"later"}', layers: ["layer of later"] });
    const sbom = { ...about(sha256(subject)), artifactType: "application/x.sbom", annotations: { made: "today" } };
    const { digest, manifest } = await pushImage(client, { repository: "refers", tag: "sbom" }, sbom);
    expect((await client("GET", `/v2/refers/manifests/${sha256(subject)}`)).status).toBe(404);
    const answer = { mediaType: imageType, digest, size: manifest.length };
    expect((await referrers(sha256(subject))).manifests).toEqual([
      { ...answer, artifactType: "application/x.sbom", annotations: { made: "today" } },
    ]);
    const put = await client("PUT", "/v2/refers/manifests/sbom", {
      headers: { "content-type": imageType },
      body: manifest,
    });
    expect(put.headers["oci-subject"]).toBe(sha256(subject));
  });

  test("an artifactType filters, and falls back to the type of the configuration", async () => {
    const digest = sha256("filtered subject");
    await pushImage(client, { repository: "refers", tag: "f1" }, { ...about(digest), artifactType: "a/one" });
    await pushImage(client, { repository: "refers", tag: "f2" }, about(digest));
    expect((await referrers(digest)).manifests).toHaveLength(2);
    const one = await referrers(digest, "?artifactType=a/one");
    expect([one.manifests.length, one.filter]).toEqual([1, "artifactType"]);
    const config = await referrers(digest, "?artifactType=application/vnd.oci.image.config.v1%2Bjson");
    expect(config.manifests).toHaveLength(1);
    expect((await referrers(digest, "?artifactType=a/none")).manifests).toEqual([]);
  });

  test("Link leads through many", async () => {
    const digest = sha256("popular");
    for (const tag of ["p1", "p2", "p3"]) await pushImage(client, { repository: "refers", tag }, about(digest));
    const first = await referrers(digest, "?n=2");
    expect(first.manifests).toHaveLength(2);
    const second = await referrers(digest, /\?[^>]+/.exec(first.link ?? "")?.[0]);
    expect(second.manifests).toHaveLength(1);
    expect(second.link).toBeUndefined();
  });

  test("nothing is about an unknown digest", async () => {
    expect((await referrers(unknownDigest)).manifests).toEqual([]);
    expect((await client("GET", "/v2/refers/referrers/sha256:x")).code).toBe("DIGEST_INVALID");
  });
});
