/** What images keep, let go and tell: pins, the sweep, the floor of the disk, the rows of the API, events. */
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "#client/client.ts";
import { BlobError } from "#drivers/blobs/contract.ts";
import type { Event } from "#kernel/outbox.ts";
import {
  openTestRegistry,
  type OpenTestRegistry,
  pushBlob,
  pushImage,
  registryClient,
  type RegistryClient,
  sha256,
  userToken,
} from "#testing/registry.ts";

let opened: OpenTestRegistry;
let client: RegistryClient;
let now = new Date();

beforeAll(async () => {
  opened = await openTestRegistry({ clock: { now: () => now } });
  client = opened.client;
});

afterAll(() => opened?.[Symbol.asyncDispose]());

const hour = 60 * 60 * 1000;

describe("a release", () => {
  test("holds its image: the manifest is not deleted, and the API says who holds it", async () => {
    const { digest } = await pushImage(client, { repository: "held", tag: "v1" });
    const [reaction] = opened.registry.images.reactions;
    const payload = { service: "held", number: 7, digest };
    const react = () =>
      opened.registry.db.transaction().execute((tx) => reaction!.react(tx, { payload } as unknown as Event));
    // Told twice, it is held once.
    await react();
    await react();
    const { status, code } = await client("DELETE", `/v2/held/manifests/${digest}`);
    expect([status, code]).toEqual([405, "DENIED"]);
    const api = createClient({ url: opened.registry.url, token: await userToken(opened.registry, "reader", "viewer") });
    const image = await api.getImage({ params: { repository: "held", reference: digest } });
    expect(image).toMatchObject({
      digest,
      tags: ["release-7", "v1"],
      heldBy: ["release held 7"],
      size: "layer of v1".length,
    });
  });
});

test("the image of a retired release goes with its layers within a day, unless another release stands on it", async () => {
  let later = new Date();
  await using own = await openTestRegistry({ clock: { now: () => later } });
  const { db, images, blobs } = own.registry;
  const { digest } = await pushImage(own.client, { repository: "retired", tag: "v1" });
  const tell = (on: string, number: number) =>
    db.transaction().execute(async (tx) => {
      const payload = { service: "retired", number, digest, repository: "retired" };
      for (const each of images.reactions.filter((reaction) => reaction.on === on))
        await each.react(tx, { payload } as unknown as Event);
    });
  await tell("releases.release-created", 1);
  await tell("releases.release-created", 2);
  await tell("deployments.release-retired", 1);
  expect(await images.has("retired", digest)).toBe(true);
  await tell("deployments.release-retired", 2);
  expect(await images.has("retired", digest)).toBe(false);
  later = new Date(later.getTime() + 25 * hour);
  await images.tasks["images.sweep"]!({}, new AbortController().signal);
  expect(await blobs.size(sha256("layer of v1"))).toBeUndefined();
});

describe("the API", () => {
  test("lists repositories and tags page by page, and shows one image", async () => {
    for (const tag of ["v1", "v2", "v3"]) await pushImage(client, { repository: "api/one", tag });
    await pushImage(client, { repository: "api/two", tag: "v1" });
    const api = createClient({ url: opened.registry.url, token: await userToken(opened.registry, "lister", "viewer") });
    const first = await api.listImageRepositories({ query: { after: "api/", limit: 1 } });
    expect(first).toMatchObject({ repositories: [{ name: "api/one", tags: 3 }] });
    const second = await api.listImageRepositories({ query: { after: "api/one", limit: 1 } });
    expect(second).toMatchObject({ repositories: [{ name: "api/two", tags: 1 }] });
    const tags = await api.listImageTags({ params: { repository: "api/one" }, query: { after: "v1" } });
    expect(tags).toMatchObject({ tags: [{ tag: "v2" }, { tag: "v3" }] });
    const image = await api.getImage({ params: { repository: "api/one", reference: "v2" } });
    expect(image).toMatchObject({ repository: "api/one", tags: ["v2"], parts: [{ digest: sha256("layer of v2") }] });
    for (const refused of [
      api.getImage({ params: { repository: "api/one", reference: "none" } }),
      api.getImage({ params: { repository: "api/one", reference: "no such thing" } }),
      api.listImageTags({ params: { repository: "none" } }),
    ])
      expect(await refused).toMatchObject({ refused: "not-found" });
  });

  test("pushes and deletions are told with who did them", async () => {
    const { digest } = await pushImage(client, { repository: "told", tag: "v1" });
    await client("DELETE", "/v2/told/manifests/v1");
    await client("DELETE", `/v2/told/manifests/${digest}`);
    const { rows } = await sql`select name, payload from events where subject = 'images:told' order by id`.execute(
      opened.registry.db,
    );
    const common = { repository: "told", actor: "lea" };
    expect(rows).toEqual([
      { name: "images.manifest-pushed", payload: { ...common, digest, tags: ["v1"] } },
      { name: "images.manifest-deleted", payload: { ...common, tag: "v1" } },
      { name: "images.manifest-deleted", payload: { ...common, digest } },
    ]);
  });

  test("has() knows what can be pulled", async () => {
    const { images } = opened.registry;
    const { digest } = await pushImage(client, { repository: "known", tag: "v1" });
    expect(await images.has("known", digest)).toBe(true);
    expect(await images.has("unknown", digest)).toBe(false);
    expect(await images.has("known", sha256("other"))).toBe(false);
  });
});

describe("the sweep", () => {
  const sweep = () => opened.registry.images.tasks["images.sweep"]!({}, new AbortController().signal);

  test("removes uploads that rested for a day, and content that no row knows, but nothing younger", async () => {
    const { blobs, home } = opened.registry;
    const begin = async () => (await client("POST", "/v2/swept/blobs/uploads/")).headers["location"] ?? "";
    const old = await begin();
    await client("PATCH", old, { body: "left behind" });
    const stray = sha256("stray");
    const path = join(home, "blobs", "sha256", stray.slice(7, 9), stray.slice(7));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "stray");
    await writeFile(join(home, "uploads", "unknown"), "stray");
    await pushImage(client, { repository: "swept", tag: "kept" });
    const kept = sha256("layer of kept");
    const unneeded = await pushBlob(client, "swept", "of no manifest");
    await sweep();
    expect(await blobs.size(stray)).toBe(5);

    now = new Date(now.getTime() + 25 * hour);
    const young = await begin();
    const long = new Date(Date.now() + 25 * hour);
    await client("PATCH", young, { body: "at work" });
    await utimes(join(home, "uploads", young.split("/").at(-1) ?? ""), long, long);
    await sweep();
    expect((await client("GET", old)).code).toBe("BLOB_UPLOAD_UNKNOWN");
    expect((await client("GET", young)).headers["range"]).toBe("0-6");
    expect(await blobs.size(stray)).toBeUndefined();
    expect(await blobs.size(kept)).toBe("layer of kept".length);
    expect(await blobs.size(unneeded)).toBeUndefined();
    expect(await Array.fromAsync(blobs.uploads(), ({ key }) => key)).toEqual([young.split("/").at(-1)]);
  });

  test("comes again by itself after an hour, and is set going once however often the server starts", async () => {
    await opened.registry.images.start();
    await opened.registry.images.start();
    const { rows } = await sql<{
      run_at: Date;
    }>`select run_at from jobs where key = 'images.sweep'`.execute(opened.registry.db);
    expect(rows).toEqual([{ run_at: now }]);
    await sweep();
    const later = await sql<{
      run_at: Date;
    }>`select run_at from jobs where key = 'images.sweep'`.execute(opened.registry.db);
    expect(later.rows).toEqual([{ run_at: new Date(now.getTime() + hour) }]);
  });
});

describe("a disk below its floor", () => {
  test("takes no upload and no manifest, says so, and leaves nothing behind", async () => {
    let free = Number.MAX_SAFE_INTEGER;
    await using small = await openTestRegistry({
      config: { diskFloor: 1024 * 1024 },
      wrapBlobs: (blobs) => ({ ...blobs, free: async () => free }),
    });
    const upload = (await small.client("POST", "/v2/full/blobs/uploads/")).headers["location"] ?? "";
    const { manifest } = await pushImage(small.client, { repository: "full", tag: "v1" });
    free = 1024 * 1024 + 5;
    expect((await small.client("PATCH", upload, { body: "12345" })).status).toBe(202);
    const refused = [
      await small.client("PATCH", upload, { body: "123456" }),
      await small.client("PUT", "/v2/full/manifests/v2", { body: manifest }),
    ];
    free = 10;
    refused.push(await small.client("POST", "/v2/full/blobs/uploads/"));
    refused.push(await small.client("POST", `/v2/full/blobs/uploads/?digest=${sha256("x")}`, { body: "x" }));
    for (const { status, code, body } of refused) {
      expect([status, code]).toEqual([413, "DENIED"]);
      expect(body.toString()).toContain("disk full");
    }
    expect((await small.client("GET", upload)).headers["range"]).toBe("0-4");
    expect((await small.client("GET", "/v2/full/manifests/v1")).status).toBe(200);
    expect((await sql`select id from image_uploads`.execute(small.registry.db)).rows).toHaveLength(1);
  });

  test("that fills up midway ends the upload", async () => {
    await using small = await openTestRegistry({
      wrapBlobs: (blobs) => ({
        ...blobs,
        async append(append) {
          await blobs.discard(append.upload);
          throw new BlobError("disk-full", "no space is left on the disk");
        },
      }),
    });
    const upload = (await small.client("POST", "/v2/full/blobs/uploads/")).headers["location"] ?? "";
    const patch = await small.client("PATCH", upload, { body: "x".repeat(200_000) });
    expect([patch.status, patch.code]).toEqual([413, "DENIED"]);
    expect((await small.client("GET", upload)).code).toBe("BLOB_UPLOAD_UNKNOWN");
  });
});

test("a repository takes no more than a thousand open uploads", async () => {
  await sql`insert into image_repositories (name) values ('busy')`.execute(opened.registry.db);
  await sql`insert into image_uploads (id, repository, touched_at)
    select gen_random_uuid(), 'busy', now() from generate_series(1, 1000)`.execute(opened.registry.db);
  const { status, code } = await client("POST", "/v2/busy/blobs/uploads/");
  expect([status, code]).toEqual([429, "TOOMANYREQUESTS"]);
  const other = registryClient(opened.registry.url, await userToken(opened.registry, "patient", "developer"));
  expect((await other("POST", "/v2/calm/blobs/uploads/")).status).toBe(202);
});
