import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { pushBlob, registryClient, sha256, startTestRegistry, userToken } from "#testing/registry.ts";
import { until } from "#testing/until.ts";
import { begin, part, type Rows, rowsFor, sha512, unknownDigest } from "./test-rows.ts";

async function* streamOf(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

export const wholePushRows: Rows = {
  "POST, then PUT with the whole body": async ({ client }) => {
    const location = await begin(client, "push");
    const digest = sha256("whole");
    const put = await client("PUT", `${location}?digest=${digest}`, { body: "whole" });
    expect([put.status, put.headers["docker-content-digest"]]).toEqual([201, digest]);
    expect((await client("GET", put.headers["location"] ?? "")).body.toString()).toBe("whole");
  },

  "POST with the digest and the body, in one request": async ({ client }) => {
    const digest = sha256("at once");
    const post = await client("POST", `/v2/push/blobs/uploads/?digest=${digest}`, { body: "at once" });
    expect([post.status, post.headers["location"]]).toEqual([201, `/v2/push/blobs/${digest}`]);
    expect((await client("GET", `/v2/push/blobs/${digest}`)).body.toString()).toBe("at once");
  },

  "what is there already may be pushed again": async ({ client }) => {
    const digest = await pushBlob(client, "push", "twice");
    expect(await pushBlob(client, "push", "twice")).toBe(digest);
    expect((await client("GET", `/v2/push/blobs/${digest}`)).body.toString()).toBe("twice");
  },

  "a wrong digest is DIGEST_INVALID, and nothing of the upload is left": async ({ client, opened }) => {
    const location = await begin(client, "push");
    for (const push of [
      () => client("PUT", `${location}?digest=${unknownDigest}`, { body: "other" }),
      () => client("POST", `/v2/push/blobs/uploads/?digest=${unknownDigest}`, { body: "other" }),
    ]) {
      const { status, code } = await push();
      expect([status, code]).toEqual([400, "DIGEST_INVALID"]);
    }
    expect((await client("HEAD", `/v2/push/blobs/${unknownDigest}`)).status).toBe(404);
    expect((await client("GET", location)).code).toBe("BLOB_UPLOAD_UNKNOWN");
    const left = await Array.fromAsync(opened.registry.blobs.uploads(), ({ key }) => key);
    expect(left).not.toContain(location.split("/").at(-1));
  },

  ...rowsFor(
    [[""], ["sha256:abc"], ["md5:d41d8cd98f00b204e9800998ecf8427e"], ["sha256"], ["%00"]],
    (digest) => `the digest parameter ${JSON.stringify(digest)} is DIGEST_INVALID`,
    async ({ client }, digest) => {
      const location = await begin(client, "push");
      for (const [method, to] of [
        ["PUT", location],
        ["POST", "/v2/push/blobs/uploads/"],
      ] as const) {
        const { status, code } = await client(method, `${to}?digest=${digest}`, { body: "x" });
        expect([status, code]).toEqual([400, "DIGEST_INVALID"]);
      }
    },
  ),

  "the empty blob is taken": async ({ client }) => {
    await pushBlob(client, "push", "");
    expect((await client("GET", `/v2/push/blobs/${sha256("")}`)).headers["content-length"]).toBe("0");
  },

  "SHA-512 is taken, in one request and in an upload that was begun with it": async ({ client }) => {
    const digest = sha512("five twelve");
    const post = await client("POST", `/v2/push/blobs/uploads/?digest=${digest}`, { body: "five twelve" });
    expect([post.status, post.headers["docker-content-digest"]]).toEqual([201, digest]);
    expect((await client("GET", `/v2/push/blobs/${digest}`)).body.toString()).toBe("five twelve");
    const begun = await client("POST", "/v2/push/blobs/uploads/?digest-algorithm=sha512");
    const put = await client("PUT", `${begun.headers["location"]}?digest=${sha512("begun")}`, { body: "begun" });
    expect([put.status, put.headers["location"]]).toEqual([201, `/v2/push/blobs/${sha512("begun")}`]);
  },

  "an upload that was begun with an algorithm that no digest may have is refused at once": async ({ client }) => {
    const { status, code } = await client("POST", "/v2/push/blobs/uploads/?digest-algorithm=md5");
    expect([status, code]).toEqual([400, "DIGEST_INVALID"]);
  },
};

export const chunkRows: Rows = {
  "POST, a streamed PATCH, and an empty PUT, as docker does it": async ({ client }) => {
    const location = await begin(client, "push");
    const patch = await client("PATCH", location, { body: Readable.from(streamOf("str", "ea", "med")) });
    expect([patch.status, patch.headers["range"]]).toEqual([202, "0-7"]);
    const put = await client("PUT", `${patch.headers["location"]}?digest=${sha256("streamed")}`);
    expect(put.status).toBe(201);
  },

  "POST, PATCH by chunks, and PUT with the last one": async ({ client }) => {
    const location = await begin(client, "push");
    const first = await client("PATCH", location, part("0-4", "hello"));
    expect([first.status, first.headers["range"]]).toEqual([202, "0-4"]);
    const second = await client("PATCH", first.headers["location"] ?? "", part("5-9", " worl"));
    expect([second.status, second.headers["range"]]).toEqual([202, "0-9"]);
    const last = `${second.headers["location"]}?digest=${sha256("hello world")}`;
    expect((await client("PUT", last, part("10-10", "d"))).status).toBe(201);
    expect((await client("GET", `/v2/push/blobs/${sha256("hello world")}`)).body.toString()).toBe("hello world");
  },

  ...rowsFor<[string, string]>(
    [
      ["again from the start", "0-4"],
      ["one byte too early", "4-8"],
      ["behind a gap", "6-10"],
      ["in no readable form", "five to nine"],
      ["inverted", "9-5"],
    ],
    (what) => `a chunk ${what} is answered with 416, and the upload can go on`,
    async ({ client }, _, range) => {
      const location = await begin(client, "push");
      await client("PATCH", location, part("0-4", "hello"));
      const digest = sha256("hello worl");
      for (const [method, to] of [
        ["PATCH", location],
        ["PUT", `${location}?digest=${digest}`],
      ] as const) {
        const wrong = await client(method, to, part(range, "wrong"));
        expect([wrong.status, wrong.headers["range"], wrong.code]).toEqual([416, "0-4", "BLOB_UPLOAD_INVALID"]);
        expect(wrong.headers["location"]).toBe(location);
      }
      expect((await client("PUT", `${location}?digest=${digest}`, part("5-9", " worl"))).status).toBe(201);
    },
  ),

  "a first chunk that does not begin at the start is answered with 416": async ({ client }) => {
    const location = await begin(client, "push");
    expect((await client("PATCH", location, part("5-9", "hello"))).status).toBe(416);
  },

  "a chunk that is not as long as it says is refused": async ({ client }) => {
    const location = await begin(client, "push");
    expect((await client("PATCH", location, part("0-9", "short"))).code).toBe("SIZE_INVALID");
    const streamed = await client("PATCH", location, { ...part("0-9", ""), body: Readable.from(streamOf("short")) });
    expect(streamed.code).toBe("SIZE_INVALID");
    expect((await client("GET", location)).code).toBe("BLOB_UPLOAD_UNKNOWN");
  },

  "GET tells how far an upload is": async ({ client }) => {
    const location = await begin(client, "push");
    expect((await client("GET", location)).status).toBe(204);
    await client("PATCH", location, part("0-4", "hello"));
    const { status, headers } = await client("GET", location);
    expect([status, headers["range"], headers["location"]]).toEqual([204, "0-4", location]);
  },

  "an upload goes on after a restart of the registry": async ({ client, opened }) => {
    const location = await begin(client, "push");
    await client("PATCH", location, part("0-4", "hello"));
    await using restarted = await startTestRegistry({ databaseUrl: opened.database.url, home: opened.registry.home });
    const again = registryClient(restarted.url, await userToken(opened.registry, "rita", "developer"));
    expect((await again("GET", location)).headers["range"]).toBe("0-4");
    const put = await again("PUT", `${location}?digest=${sha256("hello again")}`, part("5-10", " again"));
    expect(put.status).toBe(201);
  },

  "DELETE gives an upload up": async ({ client }) => {
    const location = await begin(client, "push");
    await client("PATCH", location, part("0-4", "hello"));
    expect((await client("DELETE", location)).status).toBe(204);
    for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
      const { status, code } = await client(method, `${location}?digest=${sha256("hello")}`);
      expect([status, code]).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
    }
  },

  "an upload of another repository is unknown here": async ({ client }) => {
    const location = (await begin(client, "push")).replace("/push/", "/elsewhere/");
    expect((await client("PATCH", location, { body: "x" })).code).toBe("BLOB_UPLOAD_UNKNOWN");
  },

  "a newcomer goes on where a silent connection stopped, whose request ends": async ({ client }) => {
    let location = "";
    // A newcomer that comes before the first bytes did ends an upload that holds nothing: then all is begun anew.
    await until(async () => {
      location = await begin(client, "push");
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
  },
};

export const mountRows: Rows = {
  ...rowsFor<[string, string]>(
    [
      ["of a named repository", "&from=mount-from"],
      ["of any repository, when none is named,", ""],
    ],
    (whose) => `a blob ${whose} is taken over without an upload`,
    async ({ client }, _, from) => {
      const content = `mounted${from}`;
      const digest = await pushBlob(client, "mount-from", content);
      const post = await client("POST", `/v2/mount-to/blobs/uploads/?mount=${digest}${from}`);
      expect([post.status, post.headers["location"]]).toEqual([201, `/v2/mount-to/blobs/${digest}`]);
      expect((await client("GET", `/v2/mount-to/blobs/${digest}`)).body.toString()).toBe(content);
    },
  ),

  ...rowsFor<[string, string]>(
    [
      ["from a repository that does not show it", `mount=${sha256("to mount")}&from=elsewhere`],
      ["of an unknown blob", `mount=${unknownDigest}&from=mount-from`],
      ["of an unknown blob of any repository", `mount=${unknownDigest}`],
      ["of something that is no digest", "mount=x&from=mount-from"],
      ["from something that is no repository", `mount=${sha256("to mount")}&from=../x`],
    ],
    (what) => `a mount ${what} begins an upload instead`,
    async ({ client }, _, query) => {
      await pushBlob(client, "mount-from", "to mount");
      const post = await client("POST", `/v2/mount-else/blobs/uploads/?${query}`);
      expect(post.status).toBe(202);
      expect(post.headers["location"]).toMatch(/^\/v2\/mount-else\/blobs\/uploads\/[0-9a-f-]{36}$/);
    },
  ),
};
