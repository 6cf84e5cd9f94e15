/** Manifests and deletion, as the OCI distribution specification has it. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  imageManifest,
  imageType,
  indexType,
  pushBlob,
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

describe("manifests", () => {
  test("a manifest comes back byte for byte, by tag and by digest, as the type it was sent as", async () => {
    const { manifest, digest } = await pushImage(client, { repository: "shop/catalog", tag: "v1" });
    for (const reference of ["v1", digest]) {
      const get = await client("GET", `/v2/shop/catalog/manifests/${reference}`);
      expect(get.status).toBe(200);
      expect(get.body.toString()).toBe(manifest);
      expect(get.headers).toMatchObject({ "content-type": imageType, "docker-content-digest": digest });
      const head = await client("HEAD", `/v2/shop/catalog/manifests/${reference}`);
      expect([head.status, head.headers["content-length"]]).toEqual([200, String(manifest.length)]);
    }
  });

  test("white space and unknown fields are kept, for they are part of the digest", async () => {
    const config = await pushBlob(client, "odd", "{}");
    const text = ` {"schemaVersion":2,\n\t"layers": [ ],"config":{"mediaType":"x/y","digest":"${config}","size":2},"own":{"a":1}}\n`;
    const put = await client("PUT", "/v2/odd/manifests/t", { headers: { "content-type": imageType }, body: text });
    expect([put.status, put.headers["location"]]).toEqual([201, `/v2/odd/manifests/${sha256(text)}`]);
    expect((await client("GET", `/v2/odd/manifests/${sha256(text)}`)).body.toString()).toBe(text);
  });

  test("a manifest of nearly 4 MiB is taken, one above is refused", async () => {
    await pushBlob(client, "large", "{}");
    const annotations = Object.fromEntries(
      Array.from({ length: 390 }, (_, index) => [`a${index}`, "x".repeat(10_000)]),
    );
    const text = imageManifest({ config: "{}", layers: [] }, { annotations });
    const put = await client("PUT", "/v2/large/manifests/big", { headers: { "content-type": imageType }, body: text });
    expect(put.status).toBe(201);
    expect((await client("GET", "/v2/large/manifests/big")).body.toString()).toBe(text);
    const more = imageManifest(
      { config: "{}", layers: [] },
      { annotations: { ...annotations, z: "x".repeat(400_000) } },
    );
    for (const body of [more, Readable.from([more])]) {
      const refused = await client("PUT", "/v2/large/manifests/bigger", {
        headers: { "content-type": imageType },
        body,
      });
      expect([refused.status, refused.code]).toEqual([413, "SIZE_INVALID"]);
    }
  });

  test("a tag moves to the manifest that was pushed last", async () => {
    const first = await pushImage(client, { repository: "moves", tag: "latest" });
    const second = await pushImage(client, { repository: "moves", tag: "latest" }, { annotations: { n: "2" } });
    expect((await client("GET", "/v2/moves/manifests/latest")).headers["docker-content-digest"]).toBe(second.digest);
    expect((await client("GET", `/v2/moves/manifests/${first.digest}`)).status).toBe(200);
  });

  test("a push by digest must match, and may name tags as parameters", async () => {
    const { manifest, digest } = await pushImage(client, { repository: "by-digest", tag: "a" });
    const headers = { "content-type": imageType };
    const put = await client("PUT", `/v2/by-digest/manifests/${digest}?tag=b&tag=c`, { headers, body: manifest });
    expect([put.status, put.headers["oci-tag"]]).toEqual([201, "b,c"]);
    expect((await client("GET", "/v2/by-digest/manifests/c")).headers["docker-content-digest"]).toBe(digest);
    const wrong = await client("PUT", `/v2/by-digest/manifests/${unknownDigest}`, { headers, body: manifest });
    expect([wrong.status, wrong.code]).toEqual([400, "DIGEST_INVALID"]);
  });

  test("a manifest by SHA-512 is kept under that", async () => {
    const { manifest } = await pushImage(client, { repository: "sha512", tag: "a" });
    const digest = `sha512:${createHash("sha512").update(manifest).digest("hex")}`;
    const headers = { "content-type": imageType };
    const put = await client("PUT", `/v2/sha512/manifests/${digest}`, { headers, body: manifest });
    expect([put.status, put.headers["docker-content-digest"]]).toEqual([201, digest]);
    expect((await client("GET", `/v2/sha512/manifests/${digest}`)).body.toString()).toBe(manifest);
  });

  test("a missing layer or configuration is MANIFEST_BLOB_UNKNOWN, and nothing is kept", async () => {
    const config = "{}";
    await pushBlob(client, "gaps", config);
    for (const parts of [
      { config, layers: ["never pushed"] },
      { config: "never pushed", layers: [] },
    ]) {
      const body = imageManifest(parts);
      const put = await client("PUT", "/v2/gaps/manifests/t", { headers: { "content-type": imageType }, body });
      expect([put.status, put.code]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
      expect(put.body.toString()).toContain(unknownDigest);
    }
    expect((await client("GET", "/v2/gaps/manifests/t")).code).toBe("MANIFEST_UNKNOWN");
  });

  test.each([
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
  ])("a layer that others distribute (%s) may be absent", async (mediaType) => {
    await pushBlob(client, "foreign", "{}");
    const layers = [{ mediaType, digest: unknownDigest, size: 12, urls: ["https://example.com/layer"] }];
    const body = imageManifest({ config: "{}", layers: [] }, { layers });
    const put = await client("PUT", "/v2/foreign/manifests/t", { headers: { "content-type": imageType }, body });
    expect(put.status).toBe(201);
  });

  const index = (manifests: unknown[], more = {}) =>
    JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests, ...more });
  const listed = (digest: string, mediaType = imageType) => ({ mediaType, digest, size: 1 });
  const putIndex = (repository: string, tag: string, body: string) =>
    client("PUT", `/v2/${repository}/manifests/${tag}`, { headers: { "content-type": indexType }, body });

  test("indexes are taken: empty, of images, of indexes, and of plain blobs as caches have them", async () => {
    const image = await pushImage(client, { repository: "index", tag: "image" });
    const flat = index([listed(image.digest)]);
    const cache = await pushBlob(client, "index", "cached layer");
    for (const [tag, body] of [
      ["empty", index([])],
      ["flat", flat],
      ["nested", index([listed(sha256(flat), indexType)])],
      ["cache", index([listed(cache, "application/vnd.oci.image.layer.v1.tar")])],
    ] as const)
      expect((await putIndex("index", tag, body)).status).toBe(201);
    expect((await putIndex("index", "gap", index([listed(unknownDigest)]))).code).toBe("MANIFEST_BLOB_UNKNOWN");
  });

  test("an image that an index lists is not deleted before the index", async () => {
    const image = await pushImage(client, { repository: "listed", tag: "image" });
    await putIndex("listed", "index", index([listed(image.digest)]));
    const early = await client("DELETE", `/v2/listed/manifests/${image.digest}`);
    expect([early.status, early.code]).toEqual([405, "DENIED"]);
    expect((await client("GET", "/v2/listed/manifests/image")).status).toBe(200);
    const body = index([listed(image.digest)]);
    expect((await client("DELETE", `/v2/listed/manifests/${sha256(body)}`)).status).toBe(202);
    expect((await client("DELETE", `/v2/listed/manifests/${image.digest}`)).status).toBe(202);
  });

  test.each([
    ["no JSON", "{", imageType],
    ["no object", "[]", imageType],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), imageType],
    ["of schema 1", '{"schemaVersion":1}', imageType],
    ["without a configuration", '{"schemaVersion":2,"layers":[]}', imageType],
    [
      "with a digest that is none",
      imageManifest({ config: "{}", layers: [] }, { layers: [listed("sha256:x")] }),
      imageType,
    ],
    ["of an unknown type", "{}", "application/x-own"],
    ["of a type that its content denies", imageManifest({ config: "{}", layers: [] }), indexType],
    [
      "with an annotation that is no text",
      imageManifest({ config: "{}", layers: [] }, { annotations: { a: 1 } }),
      imageType,
    ],
  ])("a manifest that is %s is MANIFEST_INVALID", async (_, body, type) => {
    const put = await client("PUT", "/v2/invalid/manifests/t", { headers: { "content-type": type }, body });
    expect([put.status, put.code]).toEqual([400, "MANIFEST_INVALID"]);
  });

  test.each([
    ["a tag of 129 letters", "x".repeat(129), "MANIFEST_INVALID"],
    ["a tag that begins with a dot", ".hidden", "MANIFEST_INVALID"],
    ["a digest that is too short", "sha256:abc", "DIGEST_INVALID"],
    ["a digest of an unknown algorithm", `md5:${"0".repeat(32)}`, "DIGEST_INVALID"],
  ])("%s is refused", async (_, reference, code) => {
    for (const method of ["GET", "PUT", "DELETE"])
      expect((await client(method, `/v2/invalid/manifests/${reference}`)).code).toBe(code);
  });

  test.each(["GET", "DELETE"])("%s of an unknown manifest is MANIFEST_UNKNOWN", async (method) => {
    for (const reference of ["no-such-tag", unknownDigest]) {
      const { status, code } = await client(method, `/v2/invalid/manifests/${reference}`);
      expect([status, code]).toEqual([404, "MANIFEST_UNKNOWN"]);
    }
  });
});

describe("deleting", () => {
  test("a deleted tag leaves the manifest", async () => {
    const { digest } = await pushImage(client, { repository: "delete", tag: "gone" });
    expect((await client("DELETE", "/v2/delete/manifests/gone")).status).toBe(202);
    expect((await client("GET", "/v2/delete/manifests/gone")).status).toBe(404);
    expect((await client("GET", `/v2/delete/manifests/${digest}`)).status).toBe(200);
  });

  test("a deleted manifest takes its tags with it, at once", async () => {
    const { digest } = await pushImage(client, { repository: "delete", tag: "whole" });
    expect((await client("DELETE", `/v2/delete/manifests/${digest}`)).status).toBe(202);
    expect((await client("GET", `/v2/delete/manifests/${digest}`)).status).toBe(404);
    expect((await client("GET", "/v2/delete/manifests/whole")).status).toBe(404);
  });

  test("a deleted blob gives its space back once no repository shows it", async () => {
    const digest = await pushBlob(client, "delete", "shared");
    await client("POST", `/v2/delete-too/blobs/uploads/?mount=${digest}&from=delete`);
    expect((await client("DELETE", `/v2/delete/blobs/${digest}`)).status).toBe(202);
    expect((await client("GET", `/v2/delete/blobs/${digest}`)).status).toBe(404);
    expect((await client("GET", `/v2/delete-too/blobs/${digest}`)).status).toBe(200);
    expect((await client("DELETE", `/v2/delete-too/blobs/${digest}`)).status).toBe(202);
    expect(await opened.registry.blobs.size(digest)).toBeUndefined();
    expect((await client("DELETE", `/v2/delete-too/blobs/${digest}`)).code).toBe("BLOB_UNKNOWN");
  });

  test("a blob that a manifest needs stays", async () => {
    await pushImage(client, { repository: "needed", tag: "v1" });
    const { status, code } = await client("DELETE", `/v2/needed/blobs/${sha256("layer of v1")}`);
    expect([status, code]).toEqual([405, "DENIED"]);
    expect((await client("GET", `/v2/needed/blobs/${sha256("layer of v1")}`)).status).toBe(200);
  });
});
