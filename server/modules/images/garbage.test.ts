/** What the sweep takes, and that a push beside it never fails for it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sql } from "kysely";
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
  registryClient,
  sha256,
  userToken,
} from "#testing/registry.ts";

let opened: OpenTestRegistry;
let client: RegistryClient;
let now = Date.now();
const hour = 60 * 60 * 1000;

beforeAll(async () => {
  opened = await openTestRegistry({ clock: { now: () => new Date(now) } });
  client = opened.client;
});

afterAll(() => opened?.[Symbol.asyncDispose]());

const sweep = () => opened.registry.images.tasks["images.sweep"]!({}, new AbortController().signal);

async function sweepAfter(hours: number): Promise<void> {
  now += hours * hour;
  await sweep();
}

const has = (repository: string, digest: string) => opened.registry.images.has(repository, digest);
const status = async (method: string, path: string) => (await client(method, path)).status;

async function pushManifest(
  repository: string,
  manifest: { reference: string; content: string; type?: string },
): Promise<string> {
  const { reference, content, type = imageType } = manifest;
  const path = `/v2/${repository}/manifests/${reference}`;
  const answer = await client("PUT", path, { headers: { "content-type": type }, body: content });
  if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${answer.body.toString()}`);
  return sha256(content);
}

/** A manifest about another, of a configuration and one layer of its own. */
async function attach(
  repository: string,
  about: string,
  { name, tag }: { name: string; tag?: string },
): Promise<string> {
  for (const content of ["{}", name]) await pushBlob(client, repository, content);
  const subject = { mediaType: imageType, digest: about, size: 1 };
  const content = imageManifest({ config: "{}", layers: [name] }, { subject });
  return pushManifest(repository, { reference: tag ?? sha256(content), content });
}

const descriptor = (digest: string) => ({ mediaType: imageType, digest, size: 1 });
const indexOf = (digests: string[]) =>
  JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: digests.map(descriptor) });

describe("the sweep takes what nothing leads to", () => {
  test("an image whose tag moved on, a day after it was pushed", async () => {
    const old = await pushImage(client, { repository: "moved", tag: "v1" });
    const layers = { config: "{}", layers: ["newer"] };
    for (const content of ["{}", "newer"]) await pushBlob(client, "moved", content);
    const newer = await pushManifest("moved", { reference: "v1", content: imageManifest(layers) });
    await sweepAfter(23);
    expect(await has("moved", old.digest)).toBe(true);
    await sweepAfter(2);
    expect([await has("moved", old.digest), await has("moved", newer)]).toEqual([false, true]);
    expect(await opened.registry.blobs.size(sha256("layer of v1"))).toBeUndefined();
    expect(await opened.registry.blobs.size(sha256("newer"))).toBe("newer".length);
  });

  test("an index that lost its tag, with its images, but for the one that has a tag", async () => {
    const one = await pushImage(client, { repository: "multi", tag: "one" });
    const two = await pushImage(client, { repository: "multi", tag: "two" });
    await client("DELETE", "/v2/multi/manifests/one");
    const index = await pushManifest("multi", {
      reference: "all",
      content: indexOf([one.digest, two.digest]),
      type: indexType,
    });
    await sweepAfter(30);
    expect(await has("multi", one.digest)).toBe(true);
    await client("DELETE", "/v2/multi/manifests/all");
    await sweepAfter(30);
    expect([await has("multi", index), await has("multi", one.digest), await has("multi", two.digest)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test("what is about a manifest lives and dies with it, under tags as well", async () => {
    const { digest } = await pushImage(client, { repository: "signed", tag: "v1" });
    const signature = await attach("signed", digest, { name: "signature" });
    const ofSignature = await attach("signed", signature, { name: "timestamp" });
    const tagged = await attach("signed", digest, { name: "older way", tag: `${digest.replace(":", "-")}.sig` });
    await sweepAfter(30);
    for (const about of [signature, ofSignature, tagged]) expect(await has("signed", about)).toBe(true);
    await client("DELETE", `/v2/signed/manifests/${digest}`);
    await sweepAfter(30);
    for (const about of [signature, ofSignature, tagged]) expect(await has("signed", about)).toBe(false);
  });

  test("a signature that waited a day for its image in vain", async () => {
    const missing = sha256("never pushed");
    const early = await attach("early", missing, { name: "signature" });
    await sweepAfter(23);
    expect(await has("early", early)).toBe(true);
    await sweepAfter(2);
    expect(await has("early", early)).toBe(false);
  });

  test("never what a release stands on, and its tag neither moves nor goes", async () => {
    const { digest } = await pushImage(client, { repository: "released", tag: "build" });
    const tell = (on: string) =>
      opened.registry.db.transaction().execute(async (tx) => {
        const payload = { service: "released", number: 7, digest, repository: "released" };
        for (const each of opened.registry.images.reactions.filter((reaction) => reaction.on === on))
          await each.react(tx, { payload } as unknown as Event);
      });
    await tell("releases.release-created");
    await client("DELETE", "/v2/released/manifests/build");
    await sweepAfter(30);
    expect(await status("HEAD", "/v2/released/manifests/release-7")).toBe(200);
    const other = await pushImage(client, { repository: "released", tag: "other" });
    const push = { headers: { "content-type": imageType }, body: other.manifest };
    for (const refused of [
      await client("PUT", "/v2/released/manifests/release-7", push),
      await client("PUT", `/v2/released/manifests/${other.digest}?tag=release-8`, push),
      await client("DELETE", "/v2/released/manifests/release-7"),
    ])
      expect([refused.code, refused.body.toString()]).toEqual(["DENIED", expect.stringContaining("never moves")]);
    await tell("deployments.release-retired");
    expect(await status("HEAD", "/v2/released/manifests/release-7")).toBe(404);
  });
});

describe("a push that hears that content is there", () => {
  test("may rely on it for a day: layers, mounted ones, and images of an index", async () => {
    for (const content of ["{}", "heard"]) await pushBlob(client, "heard", content);
    await pushBlob(client, "mounted-from", "carried over");
    const child = await pushImage(client, { repository: "heard", tag: "child" });
    await client("DELETE", "/v2/heard/manifests/child");
    now += 23 * hour;
    for (const content of ["{}", "heard"]) expect(await status("HEAD", `/v2/heard/blobs/${sha256(content)}`)).toBe(200);
    expect(await status("HEAD", `/v2/heard/manifests/${child.digest}`)).toBe(200);
    const mount = `mount=${sha256("carried over")}&from=mounted-from`;
    expect(await status("POST", `/v2/heard/blobs/uploads/?${mount}`)).toBe(201);
    await sweepAfter(23);
    const content = imageManifest({ config: "{}", layers: ["heard", "carried over"] });
    const image = await pushManifest("heard", { reference: "v1", content });
    const index = indexOf([image, child.digest]);
    await pushManifest("heard", { reference: "all", content: index, type: indexType });
    expect(await status("HEAD", `/v2/mounted-from/blobs/${sha256("carried over")}`)).toBe(404);
  });

  test("a reader does not keep it", async () => {
    const { digest } = await pushImage(client, { repository: "read", tag: "v1" });
    await client("DELETE", "/v2/read/manifests/v1");
    now += 23 * hour;
    const reader = registryClient(opened.registry.url, await userToken(opened.registry, "reader", "viewer"));
    expect((await reader("GET", `/v2/read/manifests/${digest}`)).status).toBe(200);
    await sweepAfter(2);
    expect(await has("read", digest)).toBe(false);
  });
});

test(
  "pushes, moved tags, attachments and deletions beside the sweep: no push fails, no manifest lacks a blob, and the space comes back",
  { timeout: 120_000 },
  async () => {
    await using own = await openTestRegistry({ clock: { now: () => new Date(now) } });
    const { registry, client: ask } = own;
    const failures: string[] = [];
    const must = async (wanted: number[], method: string, path: string, more: Parameters<RegistryClient>[2] = {}) => {
      const answer = await ask(method, path, more);
      if (!wanted.includes(answer.status))
        failures.push(`${method} ${path}: ${answer.status} ${answer.body.toString()}`);
      return answer.status;
    };
    const typed = (body: string) => ({ headers: { "content-type": imageType }, body });

    /** One step is one request; layers are shared, so that one push hears of what another brought and the sweep is after. */
    async function* push(worker: number): AsyncGenerator<void, void, void> {
      for (let turn = 0; ; turn++) {
        const repository = `soak/${worker % 2}`;
        const base = `/v2/${repository}`;
        const layers = [`shared ${turn % 2}`, `own ${worker} ${turn}`];
        for (const content of ["{}", ...layers]) {
          const there = await must([200, 404], "HEAD", `${base}/blobs/${sha256(content)}`);
          yield;
          if (there === 200) continue;
          await must([201], "POST", `${base}/blobs/uploads/?digest=${sha256(content)}`, { body: content });
          yield;
        }
        const manifest = imageManifest({ config: "{}", layers }, { annotations: { turn: `${worker} ${turn}` } });
        await must([201], "PUT", `${base}/manifests/latest`, typed(manifest));
        yield;
        const subject = { mediaType: imageType, digest: sha256(manifest), size: manifest.length };
        const about = imageManifest({ config: "{}", layers: [] }, { subject });
        await must([201], "PUT", `${base}/manifests/${sha256(about)}`, typed(about));
        yield;
        // The shared layer is needed by nobody then, and near the end of its lease when somebody hears of it again.
        await must([202, 404], "DELETE", `${base}/manifests/${sha256(manifest)}`);
        for (let idle = (worker * 5 + turn * 3) % 8; idle >= 0; idle--) yield;
      }
    }

    const workers = Array.from({ length: 6 }, (_, worker) => push(worker));
    const sweepOnce = () => registry.images.tasks["images.sweep"]!({}, new AbortController().signal);
    // From the first layer to the manifest it is six rounds at most, and a lease holds eight: nothing but the sweep itself can make one fail.
    for (let round = 0; round < 60; round++) {
      now += 3 * hour;
      await Promise.all([...workers.map((worker) => worker.next()), sweepOnce()]);
    }
    expect(failures).toEqual([]);

    const { rows: manifests } = await sql<{ n: number }>`select count(*)::int as n from image_manifests`.execute(
      registry.db,
    );
    const { rows: needed } = await sql<{ digest: string }>`select distinct digest from image_manifest_blobs`.execute(
      registry.db,
    );
    expect(manifests[0]?.n).toBeGreaterThan(2);
    // Most of the forty images were left behind by their tag, and went.
    expect(manifests[0]?.n).toBeLessThan(30);
    for (const { digest } of needed) expect(await registry.blobs.size(digest)).toBeDefined();

    for (const repository of ["soak/0", "soak/1"]) await ask("DELETE", `/v2/${repository}/manifests/latest`);
    now += 30 * hour;
    await sweepOnce();
    expect(await Array.fromAsync(registry.blobs.blobs())).toEqual([]);
  },
);
