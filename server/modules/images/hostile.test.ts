/** Whatever is sent: a status below 500, nothing half-written, and the next request is answered. */
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { sql } from "kysely";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { basic, openTestRegistry, type OpenTestRegistry, pushBlob, sha256, userToken } from "#testing/registry.ts";
import { until } from "#testing/until.ts";

let opened: OpenTestRegistry;
let authorization: string;
let upload: string;

beforeAll(async () => {
  opened = await openTestRegistry();
  authorization = basic(await userToken(opened.registry, "mallory", "lead"));
  for (const content of ["known", "untouched"]) await pushBlob(opened.client, "hostile", content);
  upload = (await opened.client("POST", "/v2/hostile/blobs/uploads/")).headers["location"] ?? "";
});

afterAll(() => opened?.[Symbol.asyncDispose]());

/** Sends bytes as they are; answers the status line's number, or undefined when the connection just closed. */
async function send(text: string): Promise<number | undefined> {
  const { hostname, port } = new URL(opened.registry.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.setTimeout(10_000, () => socket.destroy(new Error("no answer")));
  let answer = "";
  socket.on("data", (bytes) => (answer += bytes.toString("latin1")));
  socket.end(Buffer.from(text, "latin1"));
  await once(socket, "close");
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(answer) ?? [];
  return status === undefined ? undefined : Number(status);
}

const digest = sha256("known");
const segment = fc.oneof(
  fc.constantFrom(
    "v2",
    "hostile",
    "blobs",
    "uploads",
    "manifests",
    "tags",
    "list",
    "referrers",
    "token",
    "..",
    "",
    "%00",
  ),
  fc.constantFrom(
    "%2e%2e%2f",
    "%",
    "%zz",
    "%ff",
    "sha256:",
    digest,
    digest.toUpperCase(),
    `sha512:${"0".repeat(128)}`,
    "latest",
  ),
  fc.string({ maxLength: 20 }).map((text) => encodeURIComponent(text.toWellFormed())),
);
const path = fc
  .tuple(
    fc.array(segment, { maxLength: 5 }),
    fc.constantFrom("", `?digest=${digest}`, "?n=%00&last=%00", "?mount=&from=", "?tag=%00"),
  )
  .map(([segments, query]) => `/v2/${segments.join("/")}${query}`);
const target = fc.oneof(
  path,
  fc
    .constantFrom("blobs/uploads/", `blobs/${digest}`, "manifests/latest", "tags/list", `referrers/${digest}`)
    .map((end) => `/v2/hostile/${end}`),
  fc.constantFrom("", `?digest=${digest}`, "?digest=%00").map((query) => upload + query),
);
const header = fc.oneof(
  fc.constantFrom(
    "range: bytes=0-",
    "range: bytes=9-1",
    "range: bytes=99999999999999999999-",
    "content-range: 0-4",
    "content-range: x",
  ),
  fc.constantFrom(
    "content-type: application/vnd.oci.image.manifest.v1+json",
    "content-type: ;;;",
    "content-type: a/b; charset=\xff",
  ),
  fc.constantFrom(
    'host: a"b',
    "authorization: Bearer a.b.c",
    "authorization: Basic !!!",
    "expect: 200-maybe",
    "if-none-match: *",
  ),
  fc.string({ maxLength: 30 }).map((text) => `x-any: ${text.replaceAll(/[^\x20-\x7e]/g, "?")}`),
);
const body = fc.oneof(
  fc.constant(""),
  fc.constantFrom("known", '{"schemaVersion":2}', "[".repeat(10_000), "\0\0\0"),
  fc.string({ maxLength: 200 }),
);
/** What is announced against what is sent. */
const framing = fc.constantFrom("right", "short", "chunked", "broken", "huge");

test("no request is answered with a fault of ours", { timeout: 120_000 }, async () => {
  const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND");
  await fc.assert(
    fc.asyncProperty(
      fc.record({ method, target, headers: fc.array(header, { maxLength: 3 }), body, framing }),
      async (request) => {
        const status = await send(written(request));
        if (status !== undefined) expect(status).toBeLessThan(500);
      },
    ),
    { numRuns: 400 },
  );
  expect((await opened.client("GET", `/v2/hostile/blobs/${sha256("untouched")}`)).body.toString()).toBe("untouched");
  await expectConsistent();
});

interface Sent {
  method: string;
  target: string;
  headers: string[];
  body: string;
  framing: string;
}

function written({ method, target: to, headers, body: text, framing: as }: Sent): string {
  const bytes = Buffer.byteLength(text, "latin1");
  const frames: Record<string, [string, string]> = {
    right: [`content-length: ${bytes}`, text],
    short: [`content-length: ${bytes + 10}`, text],
    chunked: ["transfer-encoding: chunked", `${bytes.toString(16)}\r\n${text}\r\n${bytes > 0 ? "0\r\n\r\n" : "\r\n"}`],
    broken: ["transfer-encoding: chunked", `zz\r\n${text}`],
    huge: ["content-length: 99999999999999", text],
  };
  const [frame = "", content = ""] = frames[as] ?? [];
  const lines = [
    `${method} ${to} HTTP/1.1`,
    "host: registry",
    "connection: close",
    `authorization: ${authorization}`,
    frame,
    ...headers,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${content}`;
}

/** Each blob of the books lies on the disk whole, and the other way round. */
async function expectConsistent(): Promise<void> {
  const { registry } = opened;
  const onDisk = await Array.fromAsync(registry.blobs.blobs(), ({ key }) => key);
  const { rows } = await sql<{ digest: string }>`select digest from image_blobs`.execute(registry.db);
  expect(rows.map((row) => row.digest).toSorted()).toEqual(onDisk.toSorted());
}

/** Sends the beginning of a request that announces 100 bytes; the answer ends it as a lost connection would. */
function begin(method: string, to: string, body = "hello"): { lose(): void } {
  const { hostname, port } = new URL(opened.registry.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const lines = [`${method} ${to} HTTP/1.1`, "host: r", `authorization: ${authorization}`];
  socket.write(`${[...lines, `content-length: ${body.length + 95}`].join("\r\n")}\r\n\r\n${body}`);
  return { lose: () => socket.destroy() };
}

async function openUploads(): Promise<number> {
  const { rows } = await sql`select id from image_uploads where repository = 'breaks'`.execute(opened.registry.db);
  return rows.length;
}

test("a client that goes away midway leaves what arrived, asks how far that is, and carries on", async () => {
  const place = (await opened.client("POST", "/v2/goes/blobs/uploads/")).headers["location"] ?? "";
  const written = 1024 * 1024;
  const sent = "x".repeat(written + 5);
  const whole = Buffer.from(`${sent} there`);
  const client = begin("PATCH", place, sent);
  const file = join(opened.registry.home, "uploads", place.split("/").at(-1) ?? "");
  const size = () => stat(file).then((found) => found.size);
  await until(async () => (await size().catch(() => 0)) >= written);
  client.lose();
  // Until the server has noticed, there may be more than it has said: then it says so.
  await until(async () => {
    const { range = "" } = (await opened.client("GET", place)).headers;
    const held = Number(range.split("-")[1]) + 1;
    expect(held).toBeGreaterThanOrEqual(written);
    const headers = { "content-range": `${held}-${whole.length - 1}` };
    const body = whole.subarray(held);
    const { status } = await opened.client("PUT", `${place}?digest=${sha256(whole)}`, { headers, body });
    expect([201, 416]).toContain(status);
    return status === 201;
  });
});

test("a push in one request that breaks off leaves nothing at all", async () => {
  const client = begin("POST", `/v2/breaks/blobs/uploads/?digest=${sha256("x")}`);
  await until(async () => (await openUploads()) === 1);
  client.lose();
  await until(async () => (await openUploads()) === 0);
});

test("a reader that goes away does not disturb the next", async () => {
  const large = Buffer.alloc(8 * 1024 * 1024, 1);
  const name = await pushBlob(opened.client, "hostile", large);
  const { hostname, port } = new URL(opened.registry.url);
  for (let turn = 0; turn < 5; turn++) {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.write(`GET /v2/hostile/blobs/${name} HTTP/1.1\r\nhost: r\r\nauthorization: ${authorization}\r\n\r\n`);
    await once(socket, "data");
    socket.destroy();
  }
  expect((await opened.client("GET", `/v2/hostile/blobs/${name}`)).body.length).toBe(large.length);
});
