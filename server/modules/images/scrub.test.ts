/** `towline doctor --scrub`: what of the store is damaged, what that hurts, and that it is not served as if it were right. */
import { execFile } from "node:child_process";
import { mkdir, open, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Client } from "#client/client.ts";
import { createClient } from "#client/client.ts";
import { isRefusal } from "#api/errors.ts";
import type { Event } from "#kernel/outbox.ts";
import {
  imageManifest,
  imageType,
  indexType,
  openTestRegistry,
  type OpenTestRegistry,
  pushBlob,
  pushImage,
  type RegistryClient,
  sha256,
  userToken,
} from "#testing/registry.ts";

let opened: OpenTestRegistry;
let client: RegistryClient;
let admin: string;
let api: Client;
let now = new Date();

beforeAll(async () => {
  opened = await openTestRegistry({ clock: { now: () => now } });
  client = opened.client;
  admin = await userToken(opened.registry, "ada", "admin");
  api = createClient({ url: opened.registry.url, token: admin });
});

afterAll(() => opened?.[Symbol.asyncDispose]());

beforeEach(() => {
  now = new Date();
});

const pathOf = (digest: string) =>
  join(opened.registry.home, "blobs", "sha256", digest.slice("sha256:".length).slice(0, 2), digest.slice(7));

/** Everything, part by part. */
async function scrub() {
  const hurt = [];
  let after: string | null = "";
  while (after !== null) {
    const part: Awaited<ReturnType<typeof api.scrubImages>> = await api.scrubImages({ body: { after } });
    if (isRefusal(part)) throw new Error(part.message);
    hurt.push(...part.hurt);
    after = part.next;
  }
  return hurt;
}

async function flipByte(digest: string): Promise<void> {
  await using file = await open(pathOf(digest), "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, 3);
  await file.write(Buffer.from([byte.readUInt8(0) ^ 1]), 0, 1, 3);
}

/** The command itself, as an admin types it. */
function doctor(...flags: string[]): Promise<{ status: number; said: string }> {
  const { url, home } = opened.registry;
  const args = ["cli/main.ts", "doctor", "--scrub", "--url", url, "--token", admin, ...flags];
  const env = { ...process.env, TOWLINE_HOME: home, NO_COLOR: "1" };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env }, (_, said) =>
      resolve({ status: child.exitCode ?? 0, said }),
    );
  });
}

async function expectNotServed(repository: string, digest: string): Promise<void> {
  for (const method of ["GET", "HEAD"])
    expect((await client(method, `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
  const mount = await client("POST", `/v2/elsewhere/blobs/uploads/?mount=${digest}&from=${repository}`);
  expect(mount.status).toBe(202);
}

test("a flipped byte is found, with all that leads to it; the blob is not served until it is pushed again", async () => {
  const image = await pushImage(client, { repository: "flipped", tag: "v1" });
  const index = JSON.stringify({
    ...{ schemaVersion: 2, mediaType: indexType },
    manifests: [{ mediaType: imageType, digest: image.digest, size: image.manifest.length }],
  });
  await client("PUT", "/v2/flipped/manifests/all", { headers: { "content-type": indexType }, body: index });
  const [pin] = opened.registry.images.reactions;
  const payload = { service: "flipped", number: 3, digest: image.digest };
  await opened.registry.db.transaction().execute((tx) => pin!.react(tx, { payload } as unknown as Event));
  const layer = sha256("layer of v1");
  expect(await scrub()).toEqual([]);

  await flipByte(layer);
  const leads = [{ repository: "flipped", tags: ["all", "release-3", "v1"], heldBy: ["release flipped 3"] }];
  expect(await scrub()).toEqual([{ digest: layer, size: "layer of v1".length, what: "content", leads }]);
  expect(await opened.registry.images.damaged()).toBe(1);
  const { status, said } = await doctor();
  expect(status).toBe(1);
  expect(said).toMatch(/✗ \d+ blobs of the image registry read/);
  expect(said).toMatch(
    /sha256:[0-9a-f]{12}  is not what its digest says  flipped :all :release-3 :v1 release flipped 3  push the image again, or copy/,
  );
  await expectNotServed("flipped", layer);
  const again = imageManifest({ config: '{"image":"v1"}', layers: ["layer of v1"] }, { annotations: { n: "2" } });
  const put = await client("PUT", "/v2/flipped/manifests/v2", { headers: { "content-type": imageType }, body: again });
  expect(put.code).toBe("MANIFEST_BLOB_UNKNOWN");

  await pushBlob(client, "flipped", "layer of v1");
  expect((await client("GET", `/v2/flipped/blobs/${layer}`)).body.toString()).toBe("layer of v1");
  expect(await scrub()).toEqual([]);
  expect(await opened.registry.images.damaged()).toBe(0);
});

test("a file that was cut short is not served, before anyone looks and after", async () => {
  const digest = await pushBlob(client, "cut", "cut short");
  await truncate(pathOf(digest), 3);
  await expectNotServed("cut", digest);
  const leads = [{ repository: "cut", tags: [], heldBy: [] }];
  expect(await scrub()).toEqual([{ digest, size: 9, what: "size", found: 3, leads }]);
  await pushBlob(client, "cut", "cut short");
  expect(await scrub()).toEqual([]);
});

test("a blob that was restored from a backup is whole again with the next scrub", async () => {
  const digest = await pushBlob(client, "restored", "restored");
  await opened.registry.blobs.remove(digest);
  expect(await scrub()).toMatchObject([{ digest, what: "missing" }]);
  await writeFile(pathOf(digest), "restored");
  await expectNotServed("restored", digest);
  expect(await scrub()).toEqual([]);
  expect((await client("GET", `/v2/restored/blobs/${digest}`)).body.toString()).toBe("restored");
});

test("a file that no row knows is told once it is too old to be of a push", async () => {
  const digest = sha256("stray");
  await mkdir(dirname(pathOf(digest)), { recursive: true });
  await writeFile(pathOf(digest), "stray");
  expect(await scrub()).toEqual([]);
  now = new Date(Date.now() + 25 * 60 * 60 * 1000);
  expect(await scrub()).toEqual([{ digest, size: 5, what: "stray", leads: [] }]);
});

test("a long scrub is answered in parts, each of which goes on behind the one before", async () => {
  const start = Date.now();
  let looks = 0;
  // Each look at the clock is a second later: a part ends after a few blobs.
  const clock = { now: () => new Date(start + 1000 * looks++) };
  await using slow = await openTestRegistry({ clock });
  for (let at = 0; at < 5; at++) await pushBlob(slow.client, "parts", `part ${at}`);
  const admin = createClient({ url: slow.registry.url, token: await userToken(slow.registry, "ada", "admin") });
  const first = await admin.scrubImages({ body: {} });
  expect(first).toMatchObject({ total: { blobs: 5, bytes: 30 }, checked: { blobs: 2 }, next: expect.any(String) });
});

test("only admins may", async () => {
  const lead = createClient({ url: opened.registry.url, token: await userToken(opened.registry, "lena", "lead") });
  expect(await lead.scrubImages({ body: {} })).toMatchObject({ refused: "auth.forbidden" });
});
