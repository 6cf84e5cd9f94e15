import { Readable } from "node:stream";
import { expect } from "vitest";
import { imageManifest, imageType, indexType, pushBlob, pushImage, sha256 } from "#testing/registry.ts";
import { indexOf, listed, putManifest, type Rows, rowsFor, sha512, unknownDigest } from "./test-rows.ts";

const bare = (more = {}) => imageManifest({ config: "{}", layers: [] }, more);

export const manifestPushRows: Rows = {
  "one of nearly 4 MiB is taken, one above is refused": async ({ client }) => {
    await pushBlob(client, "large", "{}");
    const annotations = Object.fromEntries(
      Array.from({ length: 390 }, (_, index) => [`a${index}`, "x".repeat(10_000)]),
    );
    const text = bare({ annotations });
    expect((await putManifest(client, "large/manifests/big", text)).status).toBe(201);
    expect((await client("GET", "/v2/large/manifests/big")).body.toString()).toBe(text);
    const more = bare({ annotations: { ...annotations, z: "x".repeat(400_000) } });
    const headers = { "content-type": imageType };
    for (const body of [more, Readable.from([more])]) {
      const refused = await client("PUT", "/v2/large/manifests/bigger", { headers, body });
      expect([refused.status, refused.code]).toEqual([413, "SIZE_INVALID"]);
    }
  },

  "a tag moves to what was pushed last": async ({ client }) => {
    const first = await pushImage(client, { repository: "moves", tag: "latest" });
    const second = await pushImage(client, { repository: "moves", tag: "latest" }, { annotations: { n: "2" } });
    expect((await client("GET", "/v2/moves/manifests/latest")).headers["docker-content-digest"]).toBe(second.digest);
    expect((await client("GET", `/v2/moves/manifests/${first.digest}`)).status).toBe(200);
  },

  "a push by digest must match, and may name tags as parameters": async ({ client }) => {
    const { manifest, digest } = await pushImage(client, { repository: "by-digest", tag: "a" });
    const put = await putManifest(client, `by-digest/manifests/${digest}?tag=b&tag=c`, manifest);
    expect([put.status, put.headers["oci-tag"]]).toEqual([201, "b,c"]);
    expect((await client("GET", "/v2/by-digest/manifests/c")).headers["docker-content-digest"]).toBe(digest);
    const wrong = await putManifest(client, `by-digest/manifests/${unknownDigest}`, manifest);
    expect([wrong.status, wrong.code]).toEqual([400, "DIGEST_INVALID"]);
  },

  "by SHA-512 it is kept under that, with configuration, layers and subject under theirs": async ({ client }) => {
    const contents = ['{"by":512}', "layer by 512"] as const;
    for (const content of contents)
      await client("POST", `/v2/sha512/blobs/uploads/?digest=${sha512(content)}`, { body: content });
    const [config, layer] = contents.map((content) => ({ ...listed(sha512(content), "a/b"), size: content.length }));
    const subject = listed(sha512("a subject to come"));
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: imageType, config, layers: [layer], subject });
    const digest = sha512(manifest);
    const put = await putManifest(client, `sha512/manifests/${digest}?tag=v1`, manifest);
    expect([put.status, put.headers["docker-content-digest"]]).toEqual([201, digest]);
    expect(put.headers["oci-subject"]).toBe(subject.digest);
    const get = await client("GET", "/v2/sha512/manifests/v1");
    expect([get.body.toString(), get.headers["docker-content-digest"]]).toEqual([manifest, digest]);
    expect((await client("GET", `/v2/sha512/referrers/${subject.digest}`)).body.toString()).toContain(digest);
  },

  "a missing layer or configuration is MANIFEST_BLOB_UNKNOWN, and nothing is kept": async ({ client }) => {
    await pushBlob(client, "gaps", "{}");
    for (const parts of [
      { config: "{}", layers: ["never pushed"] },
      { config: "never pushed", layers: [] },
    ]) {
      const put = await putManifest(client, "gaps/manifests/t", imageManifest(parts));
      expect([put.status, put.code]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
      expect(put.body.toString()).toContain(unknownDigest);
    }
    expect((await client("GET", "/v2/gaps/manifests/t")).code).toBe("MANIFEST_UNKNOWN");
  },

  ...rowsFor(
    [
      ["application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"],
      ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"],
    ],
    (mediaType) => `a layer that others distribute (${mediaType}) may be absent`,
    async ({ client }, mediaType) => {
      await pushBlob(client, "foreign", "{}");
      const layers = [{ ...listed(unknownDigest, mediaType), urls: ["https://example.com/layer"] }];
      expect((await putManifest(client, "foreign/manifests/t", bare({ layers }))).status).toBe(201);
    },
  ),

  ...rowsFor<[string, string, string]>(
    [
      ["an image without layers", imageType, bare()],
      ["an image whose layers are null, as Go writes an empty list", imageType, bare({ layers: null })],
      ["an artifact", imageType, bare({ artifactType: "application/x.artifact" })],
      [
        "an image that holds its configuration as data",
        imageType,
        bare({ config: { ...listed(sha256("{}"), "application/vnd.oci.empty.v1+json"), size: 2, data: "e30=" } }),
      ],
      [
        "an image of Docker",
        "application/vnd.docker.distribution.manifest.v2+json",
        bare({ mediaType: "application/vnd.docker.distribution.manifest.v2+json" }),
      ],
      ["an image that does not say its type itself", imageType, bare({ mediaType: undefined })],
      ["an empty index", indexType, indexOf([])],
      ["an index that is an artifact", indexType, indexOf([], { artifactType: "application/x.artifact" })],
      [
        "a list of Docker",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        indexOf([], { mediaType: "application/vnd.docker.distribution.manifest.list.v2+json" }),
      ],
    ],
    (what) => `${what} is taken, and keeps its type`,
    async ({ client }, _, type, text) => {
      await pushBlob(client, "shapes", "{}");
      expect((await putManifest(client, "shapes/manifests/t", text, type)).status).toBe(201);
      const { headers, body } = await client("GET", "/v2/shapes/manifests/t");
      expect([headers["content-type"], body.toString()]).toEqual([type, text]);
    },
  ),

  "indexes of images, of indexes, and of plain blobs as caches have them are taken": async ({ client }) => {
    const image = await pushImage(client, { repository: "index", tag: "image" });
    const flat = indexOf([listed(image.digest)]);
    const cache = await pushBlob(client, "index", "cached layer");
    for (const body of [
      flat,
      indexOf([listed(sha256(flat), indexType)]),
      indexOf([listed(cache, "application/vnd.oci.image.layer.v1.tar")]),
    ])
      expect((await putManifest(client, "index/manifests/t", body, indexType)).status).toBe(201);
    const gap = await putManifest(client, "index/manifests/gap", indexOf([listed(unknownDigest)]), indexType);
    expect(gap.code).toBe("MANIFEST_BLOB_UNKNOWN");
  },

  ...rowsFor<[string, string | Buffer, string]>(
    [
      ["no JSON", "{", imageType],
      ["no object", "[]", imageType],
      ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), imageType],
      ["of schema 1", '{"schemaVersion":1}', imageType],
      ["without a configuration", '{"schemaVersion":2,"layers":[]}', imageType],
      ["with a digest that is none", bare({ layers: [listed("sha256:x")] }), imageType],
      ["of an unknown type", "{}", "application/x-own"],
      ["of a type that its content denies", bare(), indexType],
      ["with an annotation that is no text", bare({ annotations: { a: 1 } }), imageType],
    ],
    (what) => `one that is ${what} is MANIFEST_INVALID`,
    async ({ client }, _, body, type) => {
      const put = await putManifest(client, "invalid/manifests/t", body, type);
      expect([put.status, put.code]).toEqual([400, "MANIFEST_INVALID"]);
    },
  ),
};

export const deletionRows: Rows = {
  "a deleted tag leaves the manifest": async ({ client }) => {
    const { digest } = await pushImage(client, { repository: "delete", tag: "gone" });
    expect((await client("DELETE", "/v2/delete/manifests/gone")).status).toBe(202);
    expect((await client("GET", "/v2/delete/manifests/gone")).status).toBe(404);
    expect((await client("GET", "/v2/delete/tags/list")).body.toString()).not.toContain("gone");
    expect((await client("GET", `/v2/delete/manifests/${digest}`)).status).toBe(200);
  },

  "a deleted manifest takes its tags with it, at once": async ({ client }) => {
    const { digest } = await pushImage(client, { repository: "delete", tag: "whole" });
    expect((await client("DELETE", `/v2/delete/manifests/${digest}`)).status).toBe(202);
    expect((await client("GET", `/v2/delete/manifests/${digest}`)).status).toBe(404);
    expect((await client("GET", "/v2/delete/manifests/whole")).status).toBe(404);
    expect((await client("GET", "/v2/delete/tags/list")).body.toString()).not.toContain("whole");
  },

  "a manifest that is pushed again after its deletion is there again": async ({ client }) => {
    const { digest } = await pushImage(client, { repository: "delete", tag: "again" });
    await client("DELETE", `/v2/delete/manifests/${digest}`);
    await pushImage(client, { repository: "delete", tag: "again" });
    expect((await client("GET", `/v2/delete/manifests/${digest}`)).status).toBe(200);
  },

  "an image that an index lists is not deleted before the index": async ({ client }) => {
    const image = await pushImage(client, { repository: "listed", tag: "image" });
    const body = indexOf([listed(image.digest)]);
    await putManifest(client, "listed/manifests/index", body, indexType);
    const early = await client("DELETE", `/v2/listed/manifests/${image.digest}`);
    expect([early.status, early.code]).toEqual([405, "DENIED"]);
    expect((await client("GET", "/v2/listed/manifests/image")).status).toBe(200);
    for (const digest of [sha256(body), image.digest])
      expect((await client("DELETE", `/v2/listed/manifests/${digest}`)).status).toBe(202);
  },

  "a deleted blob gives its space back once no repository shows it": async ({ client, opened }) => {
    const digest = await pushBlob(client, "delete", "shared");
    await client("POST", `/v2/delete-too/blobs/uploads/?mount=${digest}&from=delete`);
    expect((await client("DELETE", `/v2/delete/blobs/${digest}`)).status).toBe(202);
    expect((await client("GET", `/v2/delete/blobs/${digest}`)).status).toBe(404);
    expect((await client("GET", `/v2/delete-too/blobs/${digest}`)).status).toBe(200);
    expect((await client("DELETE", `/v2/delete-too/blobs/${digest}`)).status).toBe(202);
    expect(await opened.registry.blobs.size(digest)).toBeUndefined();
    expect((await client("DELETE", `/v2/delete-too/blobs/${digest}`)).code).toBe("BLOB_UNKNOWN");
  },

  "a blob that a manifest needs stays": async ({ client }) => {
    await pushImage(client, { repository: "needed", tag: "v1" });
    const { status, code } = await client("DELETE", `/v2/needed/blobs/${sha256("layer of v1")}`);
    expect([status, code]).toEqual([405, "DENIED"]);
    expect((await client("GET", `/v2/needed/blobs/${sha256("layer of v1")}`)).status).toBe(200);
  },
};
