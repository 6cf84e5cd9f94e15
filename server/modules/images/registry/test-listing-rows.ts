import { expect } from "vitest";
import {
  imageManifest,
  imageType,
  indexType,
  pushBlob,
  pushImage,
  type RegistryClient,
  sha256,
} from "#testing/registry.ts";
import { indexOf, listed, putManifest, type Rows, rowsFor, unknownDigest } from "./test-rows.ts";

const tags = ["Z", "a", "b1", "b10", "b2", "c"];

/** A repository with those tags, and a way to list them. */
async function tagged(client: RegistryClient) {
  for (const tag of tags.toReversed()) await pushImage(client, { repository: "tags", tag });
  return async (query: string) => {
    const { status, body, headers } = await client("GET", `/v2/tags/tags/list${query}`);
    expect(status).toBe(200);
    const { name, tags: found } = JSON.parse(body.toString()) as { name: string; tags: string[] };
    expect(name).toBe("tags");
    return { found, link: headers["link"] };
  };
}

export const tagRows: Rows = {
  "all come, in the order of their bytes": async ({ client }) => {
    const list = await tagged(client);
    expect(await list("")).toEqual({ found: tags, link: undefined });
  },

  "n limits, last goes on behind it, and Link leads through all pages": async ({ client }) => {
    const list = await tagged(client);
    expect(await list("?n=0")).toEqual({ found: [], link: undefined });
    expect(await list(`?n=${tags.length}`)).toEqual({ found: tags, link: undefined });
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
  },

  ...rowsFor(
    [["?n=x"], ["?n=-1"], ["?n=1.5"], ["?last=%00"], ["?last=a/b"]],
    (query) => `${query} is refused`,
    async ({ client }, query) => {
      expect((await client("GET", `/v2/tags/tags/list${query}`)).status).toBe(400);
    },
  ),

  "a repository without tags lists none": async ({ client }) => {
    await pushBlob(client, "untagged", "{}");
    const { status, body } = await client("GET", "/v2/untagged/tags/list");
    expect([status, JSON.parse(body.toString())]).toEqual([200, { name: "untagged", tags: [] }]);
  },

  "an unknown repository is NAME_UNKNOWN": async ({ client }) => {
    const { status, code } = await client("GET", "/v2/no/such/tags/list");
    expect([status, code]).toEqual([404, "NAME_UNKNOWN"]);
  },
};

async function referrers(client: RegistryClient, digest: string, query = "") {
  const { status, headers, body } = await client("GET", `/v2/refers/referrers/${digest}${query}`);
  expect([status, headers["content-type"]]).toEqual([200, indexType]);
  const { manifests, ...index } = JSON.parse(body.toString()) as { manifests: Record<string, unknown>[] };
  expect(index).toEqual({ schemaVersion: 2, mediaType: indexType });
  return { manifests, filter: headers["oci-filters-applied"], link: headers["link"] };
}

const about = (digest: string) => ({ subject: listed(digest) });

export const referrerRows: Rows = {
  "what is about a manifest is listed with its type and annotations, also when the manifest comes later": async ({
    client,
  }) => {
    const subject = imageManifest({ config: '{"image":"later"}', layers: ["layer of later"] });
    const digest = sha256(subject);
    const said = { artifactType: "application/x.sbom", annotations: { made: "today" } };
    const sbom = await pushImage(client, { repository: "refers", tag: "sbom" }, { ...about(digest), ...said });
    const index = indexOf([], { ...about(digest), annotations: { kind: "index" } });
    const put = await putManifest(client, "refers/manifests/index", index, indexType);
    expect(put.headers["oci-subject"]).toBe(digest);
    expect((await client("GET", `/v2/refers/manifests/${digest}`)).status).toBe(404);
    const both = [
      { mediaType: imageType, digest: sbom.digest, size: sbom.manifest.length, ...said },
      { mediaType: indexType, digest: sha256(index), size: index.length, annotations: { kind: "index" } },
    ];
    const expected = both.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
    expect((await referrers(client, digest)).manifests).toEqual(expected);
    await pushImage(client, { repository: "refers", tag: "later" });
    expect((await client("GET", `/v2/refers/manifests/${digest}`)).status).toBe(200);
    expect((await referrers(client, digest)).manifests).toEqual(expected);
  },

  "an artifactType filters, and falls back to the type of the configuration": async ({ client }) => {
    const digest = sha256("filtered subject");
    await pushImage(client, { repository: "refers", tag: "f1" }, { ...about(digest), artifactType: "a/one" });
    await pushImage(client, { repository: "refers", tag: "f2" }, about(digest));
    const all = await referrers(client, digest);
    expect([all.manifests.length, all.filter]).toEqual([2, undefined]);
    const one = await referrers(client, digest, "?artifactType=a/one");
    expect([one.manifests.length, one.filter]).toEqual([1, "artifactType"]);
    const config = await referrers(client, digest, "?artifactType=application/vnd.oci.image.config.v1%2Bjson");
    expect(config.manifests).toHaveLength(1);
    expect((await referrers(client, digest, "?artifactType=a/none")).manifests).toEqual([]);
  },

  "what is deleted is listed no more, at once": async ({ client }) => {
    const digest = sha256("left alone");
    const signature = await pushImage(client, { repository: "refers", tag: "signature" }, about(digest));
    expect((await referrers(client, digest)).manifests).toHaveLength(1);
    await client("DELETE", `/v2/refers/manifests/${signature.digest}`);
    expect((await referrers(client, digest)).manifests).toEqual([]);
  },

  "Link leads through many": async ({ client }) => {
    const digest = sha256("popular");
    for (const tag of ["p1", "p2", "p3"]) await pushImage(client, { repository: "refers", tag }, about(digest));
    const first = await referrers(client, digest, "?n=2");
    expect(first.manifests).toHaveLength(2);
    const second = await referrers(client, digest, /\?[^>]+/.exec(first.link ?? "")?.[0]);
    expect(second.manifests).toHaveLength(1);
    expect(second.link).toBeUndefined();
  },

  "nothing is about an unknown digest, nor in an unknown repository": async ({ client }) => {
    expect((await referrers(client, unknownDigest)).manifests).toEqual([]);
    const { status, body } = await client("GET", `/v2/no/such/referrers/${unknownDigest}`);
    expect([status, (JSON.parse(body.toString()) as { manifests: unknown }).manifests]).toEqual([200, []]);
    expect((await client("GET", "/v2/refers/referrers/sha256:x")).code).toBe("DIGEST_INVALID");
  },
};
