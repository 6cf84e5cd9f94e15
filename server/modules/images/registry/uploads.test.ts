/** Pushing and mounting blobs, as the OCI distribution specification has it. */
import { createHash } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  pushBlob,
  sha256,
  openTestRegistry,
  type OpenTestRegistry,
  type RegistryClient,
  registryClient,
  startTestRegistry,
  userToken,
} from "#testing/registry.ts";
import { until } from "#testing/until.ts";

let opened: OpenTestRegistry;
let client: RegistryClient;

beforeAll(async () => {
  opened = await openTestRegistry();
  client = opened.client;
});

afterAll(() => opened?.[Symbol.asyncDispose]());

const unknownDigest = sha256("never pushed");

async function begin(repository: string): Promise<string> {
  const { status, headers } = await client("POST", `/v2/${repository}/blobs/uploads/`);
  expect(status).toBe(202);
  return headers["location"] ?? "";
}

const part = (range: string, body: string | Buffer) => ({
  headers: { "content-range": range, "content-type": "application/octet-stream" },
  body,
});

describe("pushing a blob", () => {
  test("POST, then PUT with the whole body", async () => {
    const location = await begin("push");
    const digest = sha256("whole");
    const put = await client("PUT", `${location}?digest=${digest}`, { body: "whole" });
    expect([put.status, put.headers["docker-content-digest"]]).toEqual([201, digest]);
    expect((await client("GET", put.headers["location"] ?? "")).body.toString()).toBe("whole");
  });

  test("POST with the digest and the body, in one request", async () => {
    const digest = sha256("at once");
    const post = await client("POST", `/v2/push/blobs/uploads/?digest=${digest}`, { body: "at once" });
    expect([post.status, post.headers["location"]]).toEqual([201, `/v2/push/blobs/${digest}`]);
    expect((await client("GET", `/v2/push/blobs/${digest}`)).body.toString()).toBe("at once");
  });

  test("POST, a streamed PATCH, and an empty PUT, as docker does it", async () => {
    const location = await begin("push");
    async function* stream() {
      for (const text of ["str", "ea", "med"]) yield Buffer.from(text);
    }
    const patch = await client("PATCH", location, { body: Readable.from(stream()) });
    expect([patch.status, patch.headers["range"]]).toEqual([202, "0-7"]);
    const put = await client("PUT", `${patch.headers["location"]}?digest=${sha256("streamed")}`);
    expect(put.status).toBe(201);
  });

  test("POST, PATCH by chunks, and PUT with the last one", async () => {
    const location = await begin("push");
    const first = await client("PATCH", location, part("0-4", "hello"));
    expect([first.status, first.headers["range"]]).toEqual([202, "0-4"]);
    const second = await client("PATCH", first.headers["location"] ?? "", part("5-9", " worl"));
    expect([second.status, second.headers["range"]]).toEqual([202, "0-9"]);
    const last = `${second.headers["location"]}?digest=${sha256("hello world")}`;
    expect((await client("PUT", last, part("10-10", "d"))).status).toBe(201);
    expect((await client("GET", `/v2/push/blobs/${sha256("hello world")}`)).body.toString()).toBe("hello world");
  });

  test.each([
    ["again from the start", "0-4"],
    ["one byte too early", "4-8"],
    ["behind a gap", "6-10"],
    ["in no readable form", "five to nine"],
    ["inverted", "9-5"],
  ])("a chunk %s is answered with 416, and the upload can go on", async (_, range) => {
    const location = await begin("push");
    await client("PATCH", location, part("0-4", "hello"));
    const wrong = await client("PATCH", location, part(range, "wrong"));
    expect([wrong.status, wrong.headers["range"], wrong.code]).toEqual([416, "0-4", "BLOB_UPLOAD_INVALID"]);
    expect((await client("PATCH", location, part("5-9", " worl"))).status).toBe(202);
  });

  test("a chunk that is not as long as it says is refused", async () => {
    const location = await begin("push");
    expect((await client("PATCH", location, part("0-9", "short"))).code).toBe("SIZE_INVALID");
    async function* stream() {
      yield Buffer.from("short");
    }
    const streamed = await client("PATCH", location, { ...part("0-9", ""), body: Readable.from(stream()) });
    expect(streamed.code).toBe("SIZE_INVALID");
    expect((await client("GET", location)).code).toBe("BLOB_UPLOAD_UNKNOWN");
  });

  test("GET tells how far an upload is", async () => {
    const location = await begin("push");
    expect((await client("GET", location)).status).toBe(204);
    await client("PATCH", location, part("0-4", "hello"));
    const { status, headers } = await client("GET", location);
    expect([status, headers["range"], headers["location"]]).toEqual([204, "0-4", location]);
  });

  test("an upload goes on after a restart of the registry", async () => {
    const location = await begin("push");
    await client("PATCH", location, part("0-4", "hello"));
    await using restarted = await startTestRegistry({ databaseUrl: opened.database.url, home: opened.registry.home });
    const again = registryClient(restarted.url, await userToken(opened.registry, "rita", "developer"));
    expect((await again("GET", location)).headers["range"]).toBe("0-4");
    const put = await again("PUT", `${location}?digest=${sha256("hello again")}`, part("5-10", " again"));
    expect(put.status).toBe(201);
  });

  test("DELETE gives an upload up", async () => {
    const location = await begin("push");
    await client("PATCH", location, part("0-4", "hello"));
    expect((await client("DELETE", location)).status).toBe(204);
    for (const method of ["GET", "PATCH", "PUT", "DELETE"])
      expect((await client(method, `${location}?digest=${sha256("hello")}`)).code).toBe("BLOB_UPLOAD_UNKNOWN");
  });

  test("a wrong digest is DIGEST_INVALID, and nothing of the upload is left", async () => {
    for (const push of [
      async () => client("PUT", `${await begin("push")}?digest=${unknownDigest}`, { body: "other" }),
      () => client("POST", `/v2/push/blobs/uploads/?digest=${unknownDigest}`, { body: "other" }),
    ]) {
      const { status, code } = await push();
      expect([status, code]).toEqual([400, "DIGEST_INVALID"]);
    }
    expect((await client("HEAD", `/v2/push/blobs/${unknownDigest}`)).status).toBe(404);
    expect(await Array.fromAsync(opened.registry.blobs.uploads(), ({ key }) => key)).not.toContain("other");
  });

  test.each(["", "sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256", "%00"])(
    "the digest parameter %j is DIGEST_INVALID",
    async (digest) => {
      const location = await begin("push");
      expect((await client("PUT", `${location}?digest=${digest}`, { body: "x" })).code).toBe("DIGEST_INVALID");
      expect((await client("POST", `/v2/push/blobs/uploads/?digest=${digest}`, { body: "x" })).code).toBe(
        "DIGEST_INVALID",
      );
    },
  );

  test("an upload of another repository is unknown here", async () => {
    const location = (await begin("push")).replace("/push/", "/elsewhere/");
    expect((await client("PATCH", location, { body: "x" })).code).toBe("BLOB_UPLOAD_UNKNOWN");
  });

  test("the empty blob and SHA-512 are taken", async () => {
    await pushBlob(client, "push", "");
    expect((await client("GET", `/v2/push/blobs/${sha256("")}`)).headers["content-length"]).toBe("0");
    const digest = `sha512:${createHash("sha512").update("five twelve").digest("hex")}`;
    const post = await client("POST", `/v2/push/blobs/uploads/?digest=${digest}`, { body: "five twelve" });
    expect([post.status, post.headers["docker-content-digest"]]).toEqual([201, digest]);
    expect((await client("GET", `/v2/push/blobs/${digest}`)).body.toString()).toBe("five twelve");
  });

  test("a newcomer goes on where a silent connection stopped, whose request ends", async () => {
    let location = "";
    // A newcomer that comes before the first bytes did ends an upload that holds nothing: then all is begun anew.
    await until(async () => {
      location = await begin("push");
      const stuck = new PassThrough();
      const first = client("PATCH", location, { body: stuck }).catch((error: Error) => error);
      stuck.write("hello");
      await sleep(20);
      const { status } = await client("PATCH", location, part("5-10", " there"));
      if (status === 202) expect(await first).toBeInstanceOf(Error);
      stuck.destroy();
      return status === 202;
    });
    expect((await client("PUT", `${location}?digest=${sha256("hello there")}`)).status).toBe(201);
  });
});

describe("mounting a blob", () => {
  test("a blob of another repository is taken over without an upload", async () => {
    const digest = await pushBlob(client, "mount-from", "mounted");
    const post = await client("POST", `/v2/mount-to/blobs/uploads/?mount=${digest}&from=mount-from`);
    expect([post.status, post.headers["location"]]).toEqual([201, `/v2/mount-to/blobs/${digest}`]);
    expect((await client("GET", `/v2/mount-to/blobs/${digest}`)).body.toString()).toBe("mounted");
  });

  test.each([
    ["from a repository that does not show it", `mount=${sha256("mounted")}&from=elsewhere`],
    ["without its source", `mount=${sha256("mounted")}`],
    ["of an unknown blob", `mount=${unknownDigest}&from=mount-from`],
    ["of something that is no digest", "mount=x&from=mount-from"],
    ["from something that is no repository", `mount=${sha256("mounted")}&from=../x`],
  ])("a mount %s begins an upload instead", async (_, query) => {
    const post = await client("POST", `/v2/mount-else/blobs/uploads/?${query}`);
    expect(post.status).toBe(202);
    expect(post.headers["location"]).toMatch(/^\/v2\/mount-else\/blobs\/uploads\/[0-9a-f-]{36}$/);
  });
});
