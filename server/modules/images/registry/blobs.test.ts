/** The base and the pulling of blobs, as the OCI distribution specification has it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pushBlob, sha256, openTestRegistry, type OpenTestRegistry, type RegistryClient } from "#testing/registry.ts";

let opened: OpenTestRegistry;
let client: RegistryClient;

beforeAll(async () => {
  opened = await openTestRegistry();
  client = opened.client;
});

afterAll(() => opened?.[Symbol.asyncDispose]());

const unknownDigest = sha256("never pushed");

describe("the base", () => {
  test("it answers with the version of the protocol", async () => {
    const { status, headers } = await client("GET", "/v2/");
    expect(status).toBe(200);
    expect(headers["docker-distribution-api-version"]).toBe("registry/2.0");
    expect(headers["x-request-id"]).toBeTruthy();
  });

  test("a method that an endpoint has not is answered with those it has", async () => {
    const { status, code, headers } = await client("PATCH", "/v2/shop/tags/list");
    expect([status, code, headers["allow"]]).toEqual([405, "UNSUPPORTED", "GET"]);
  });

  test("what is no endpoint is not found", async () => {
    expect((await client("GET", "/v2/shop/nothing/here")).status).toBe(404);
  });
});

describe("pulling a blob", () => {
  const content = Buffer.from(Array.from({ length: 2000 }, (_, index) => index % 251));
  const digest = sha256(content);
  const path = `/v2/pull/blobs/${digest}`;
  beforeAll(() => pushBlob(client, "pull", content));

  test("GET answers its bytes, HEAD its size alone", async () => {
    const get = await client("GET", path);
    expect([get.status, get.headers["content-length"], get.headers["docker-content-digest"]]).toEqual([
      200,
      "2000",
      digest,
    ]);
    expect(get.body.equals(content)).toBe(true);
    const head = await client("HEAD", path);
    expect([head.status, head.headers["content-length"], head.body.length]).toEqual([200, "2000", 0]);
  });

  test.each([
    ["500-1499", 500, 1499],
    ["500-", 500, 1999],
    ["-500", 1500, 1999],
    ["-5000", 0, 1999],
    ["1500-5000", 1500, 1999],
    ["0-0", 0, 0],
  ])("the range %s is answered with 206 and what it covers", async (range, first, last) => {
    const { status, headers, body } = await client("GET", path, { headers: { range: `bytes=${range}` } });
    expect([status, headers["content-range"]]).toEqual([206, `bytes ${first}-${last}/2000`]);
    expect(headers["content-length"]).toBe(String(last - first + 1));
    expect(body.equals(content.subarray(first, last + 1))).toBe(true);
  });

  test.each(["500-0", "2000-", "2000-5000", "-0"])("the range %s is answered with 416", async (range) => {
    const { status, headers } = await client("GET", path, { headers: { range: `bytes=${range}` } });
    expect([status, headers["content-range"]]).toEqual([416, "bytes */2000"]);
  });

  test.each(["bytes=0-1,5-6", "lines=1-2", "bytes=x-y", "bytes=-"])(
    "the header %s asks nothing that is served, so the whole comes",
    async (range) => {
      expect((await client("GET", path, { headers: { range } })).status).toBe(200);
    },
  );

  test.each(["GET", "HEAD"])("%s of an unknown blob is BLOB_UNKNOWN", async (method) => {
    const { status, code } = await client(method, `/v2/pull/blobs/${unknownDigest}`);
    expect([status, code]).toEqual([404, method === "GET" ? "BLOB_UNKNOWN" : undefined]);
  });

  test("a blob is not shown by a repository that it was not pushed to", async () => {
    expect((await client("GET", `/v2/elsewhere/blobs/${digest}`)).code).toBe("BLOB_UNKNOWN");
  });

  test("a blob whose content is lost counts as not there, so that clients bring it again", async () => {
    const lost = await pushBlob(client, "pull", "lost");
    await opened.registry.blobs.remove(lost);
    expect((await client("HEAD", `/v2/pull/blobs/${lost}`)).status).toBe(404);
    await pushBlob(client, "pull", "lost");
    expect((await client("GET", `/v2/pull/blobs/${lost}`)).body.toString()).toBe("lost");
  });
});
