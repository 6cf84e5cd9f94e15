import { expect } from "vitest";
import { imageType, pushBlob, pushImage, sha256 } from "#testing/registry.ts";
import { putManifest, type Rows, rowsFor, unknownDigest } from "./test-rows.ts";

export const baseRows: Rows = {
  "it answers with the version of the protocol": async ({ client }) => {
    const { status, headers } = await client("GET", "/v2/");
    expect(status).toBe(200);
    expect(headers["docker-distribution-api-version"]).toBe("registry/2.0");
    expect(headers["x-request-id"]).toBeTruthy();
  },

  "a method that an endpoint has not is answered with those it has": async ({ client }) => {
    const { status, code, headers } = await client("PATCH", "/v2/shop/tags/list");
    expect([status, code, headers["allow"]]).toEqual([405, "UNSUPPORTED", "GET"]);
  },

  "what is no endpoint is not found": async ({ client }) => {
    expect((await client("GET", "/v2/shop/nothing/here")).status).toBe(404);
  },

  "an error is a JSON list of codes with a message": async ({ client }) => {
    const { headers, body } = await client("GET", `/v2/shop/blobs/${unknownDigest}`);
    expect(headers["content-type"]).toBe("application/json");
    expect(JSON.parse(body.toString())).toEqual({
      errors: [{ code: "BLOB_UNKNOWN", message: expect.stringContaining(unknownDigest) }],
    });
  },

  ...rowsFor(
    [["Shop"], ["shop/-x"], ["shop//catalog"], ["a".repeat(256)]],
    (name) => `the repository's name ${name.slice(0, 20)} is NAME_INVALID`,
    async ({ client }, name) => {
      for (const [method, end] of [
        ["GET", "tags/list"],
        ["POST", "blobs/uploads/"],
        ["PUT", "manifests/latest"],
      ] as const) {
        const { status, code } = await client(method, `/v2/${name}/${end}`);
        expect([status, code]).toEqual([400, "NAME_INVALID"]);
      }
    },
  ),
};

const content = Buffer.from(Array.from({ length: 2000 }, (_, index) => index % 251));
const digest = sha256(content);
const path = `/v2/pull/blobs/${digest}`;

export const blobRows: Rows = {
  "GET answers its bytes, HEAD its size alone": async ({ client }) => {
    await pushBlob(client, "pull", content);
    const get = await client("GET", path);
    const { "content-length": length, "docker-content-digest": named } = get.headers;
    expect([get.status, length, named]).toEqual([200, "2000", digest]);
    expect(get.body.equals(content)).toBe(true);
    const head = await client("HEAD", path);
    expect(head.headers).toMatchObject({ "content-length": "2000", "docker-content-digest": digest });
    expect([head.status, head.body.length]).toEqual([200, 0]);
  },

  ...rowsFor<[string, number, number]>(
    [
      ["500-1499", 500, 1499],
      ["500-", 500, 1999],
      ["-500", 1500, 1999],
      ["-5000", 0, 1999],
      ["1500-5000", 1500, 1999],
      ["0-0", 0, 0],
    ],
    (range) => `the range ${range} is answered with 206 and what it covers`,
    async ({ client }, range, first, last) => {
      await pushBlob(client, "pull", content);
      const { status, headers, body } = await client("GET", path, { headers: { range: `bytes=${range}` } });
      expect([status, headers["content-range"]]).toEqual([206, `bytes ${first}-${last}/2000`]);
      expect(headers["content-length"]).toBe(String(last - first + 1));
      expect(body.equals(content.subarray(first, last + 1))).toBe(true);
    },
  ),

  ...rowsFor(
    [["500-0"], ["2000-"], ["2000-5000"], ["-0"]],
    (range) => `the range ${range} is answered with 416`,
    async ({ client }, range) => {
      await pushBlob(client, "pull", content);
      const { status, headers } = await client("GET", path, { headers: { range: `bytes=${range}` } });
      expect([status, headers["content-range"]]).toEqual([416, "bytes */2000"]);
    },
  ),

  ...rowsFor(
    [["bytes=0-1,5-6"], ["lines=1-2"], ["bytes=x-y"], ["bytes=-"]],
    (range) => `the header ${range} asks nothing that is served, so the whole comes`,
    async ({ client }, range) => {
      await pushBlob(client, "pull", content);
      expect((await client("GET", path, { headers: { range } })).status).toBe(200);
    },
  ),

  "a HEAD has no range: it answers the size of the whole": async ({ client }) => {
    await pushBlob(client, "pull", content);
    const { status, headers } = await client("HEAD", path, { headers: { range: "bytes=0-9" } });
    expect([status, headers["content-length"]]).toEqual([200, "2000"]);
  },

  ...rowsFor(
    [["GET"], ["HEAD"], ["DELETE"]],
    (method) => `${method} of an unknown one is BLOB_UNKNOWN`,
    async ({ client }, method) => {
      const { status, code } = await client(method, `/v2/pull/blobs/${unknownDigest}`);
      expect([status, code]).toEqual([404, method === "HEAD" ? undefined : "BLOB_UNKNOWN"]);
    },
  ),

  ...rowsFor(
    [["sha256:abc"], [digest.toUpperCase()], [`sha256:${"z".repeat(64)}`], [`md5:${"0".repeat(32)}`], ["latest"]],
    (name) => `the digest ${name.slice(0, 20)} is DIGEST_INVALID`,
    async ({ client }, name) => {
      for (const method of ["GET", "HEAD", "DELETE"]) {
        const { status, code } = await client(method, `/v2/pull/blobs/${name}`);
        expect([status, code]).toEqual([400, method === "HEAD" ? undefined : "DIGEST_INVALID"]);
      }
    },
  ),

  "it is not shown by a repository that it was not pushed to": async ({ client }) => {
    await pushBlob(client, "pull", content);
    expect((await client("GET", `/v2/elsewhere/blobs/${digest}`)).code).toBe("BLOB_UNKNOWN");
  },

  "one whose content is lost counts as not there, so that clients bring it again": async ({ client, opened }) => {
    const lost = await pushBlob(client, "pull", "lost");
    await opened.registry.blobs.remove(lost);
    expect((await client("HEAD", `/v2/pull/blobs/${lost}`)).status).toBe(404);
    await pushBlob(client, "pull", "lost");
    expect((await client("GET", `/v2/pull/blobs/${lost}`)).body.toString()).toBe("lost");
  },
};

export const manifestPullRows: Rows = {
  "it comes back byte for byte, by tag and by digest, as the type it was sent as": async ({ client }) => {
    const image = await pushImage(client, { repository: "shop/catalog", tag: "v1" });
    for (const reference of ["v1", image.digest]) {
      const get = await client("GET", `/v2/shop/catalog/manifests/${reference}`);
      expect(get.status).toBe(200);
      expect(get.body.toString()).toBe(image.manifest);
      expect(get.headers).toMatchObject({ "content-type": imageType, "docker-content-digest": image.digest });
      const head = await client("HEAD", `/v2/shop/catalog/manifests/${reference}`);
      expect(head.headers).toMatchObject({ "content-type": imageType, "docker-content-digest": image.digest });
      expect([head.status, head.headers["content-length"]]).toEqual([200, String(image.manifest.length)]);
    }
  },

  "white space and unknown fields are kept, for they are part of the digest": async ({ client }) => {
    const config = await pushBlob(client, "odd", "{}");
    const text = ` {"schemaVersion":2,\n\t"layers": [ ],"config":{"mediaType":"x/y","digest":"${config}","size":2,"own":1},"own":{"a":1}}\n`;
    const put = await putManifest(client, "odd/manifests/t", text);
    expect([put.status, put.headers["location"]]).toEqual([201, `/v2/odd/manifests/${sha256(text)}`]);
    expect((await client("GET", `/v2/odd/manifests/${sha256(text)}`)).body.toString()).toBe(text);
  },

  ...rowsFor(
    [["GET"], ["HEAD"], ["DELETE"]],
    (method) => `${method} of an unknown one is MANIFEST_UNKNOWN`,
    async ({ client }, method) => {
      for (const reference of ["no-such-tag", unknownDigest]) {
        const { status, code } = await client(method, `/v2/pull/manifests/${reference}`);
        expect([status, code]).toEqual([404, method === "HEAD" ? undefined : "MANIFEST_UNKNOWN"]);
      }
    },
  ),

  ...rowsFor<[string, string, string]>(
    [
      ["a tag of 129 letters", "x".repeat(129), "MANIFEST_INVALID"],
      ["a tag that begins with a dot", ".hidden", "MANIFEST_INVALID"],
      ["a digest that is too short", "sha256:abc", "DIGEST_INVALID"],
      ["a digest in upper case", digest.toUpperCase(), "DIGEST_INVALID"],
      ["a digest of an unknown algorithm", `md5:${"0".repeat(32)}`, "DIGEST_INVALID"],
    ],
    (what) => `${what} is refused`,
    async ({ client }, _, reference, code) => {
      for (const method of ["GET", "PUT", "DELETE"]) {
        const answer = await client(method, `/v2/invalid/manifests/${reference}`);
        expect([answer.status, answer.code]).toEqual([400, code]);
      }
    },
  ),
};
