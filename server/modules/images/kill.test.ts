/** A push and a deletion, killed before every single step that reaches the disk or the database. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sql } from "kysely";
import { isRefusal } from "#api/errors.ts";
import { createClient } from "#client/client.ts";
import { openTestRegistry, pushImage, registryClient, userToken } from "#testing/registry.ts";
import { imageStore } from "./store.ts";

/** More steps than a push has: the test fails rather than run for ever. */
const mostSteps = 200;

/**
 * Serves the registry, counts the steps of one push and one deletion, and kills itself before the step `at`. It must not close
 * anything, so that what is left behind is what a kill leaves.
 */
const child = `
  import fsp from "node:fs/promises";
  import { flushCompileCache, syncBuiltinESMExports } from "node:module";
  import pg from "pg";
  const { databaseUrl, home, token, repository, at } = JSON.parse(process.env.KILL_TEST);
  let steps = -1;
  const count = () => { if (steps >= 0 && ++steps === at) process.kill(process.pid, "SIGKILL"); };
  const wrap = (object, names) => {
    for (const name of names) {
      const original = object[name];
      object[name] = function (...args) { count(); return original.apply(this, args); };
    }
  };
  const file = await fsp.open(process.execPath);
  wrap(Object.getPrototypeOf(file), ["writev", "datasync", "sync"]);
  await file.close();
  wrap(fsp, ["open", "mkdir", "rename", "rm"]);
  // What a transaction says before its end leaves as little as nothing said: its end alone is a step of the database.
  const open = new WeakSet();
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function (...args) {
    const text = args[0]?.text ?? args[0];
    if (text === "begin") open.add(this);
    else if (text === "commit" || text === "rollback") open.delete(this);
    if (!open.has(this)) count();
    return query.apply(this, args);
  };
  syncBuiltinESMExports();
  const { startTestRegistry, registryClient, sha256, imageManifest, imageType } = await import("#testing/registry.ts");
  const registry = await startTestRegistry({ databaseUrl, home });
  const scope = "scope=repository:" + repository + ":*";
  const signed = JSON.parse((await registryClient(registry.url, token)("GET", "/v2/token?" + scope)).body).token;
  const client = registryClient(registry.url);
  const must = async (status, method, path, ask = {}) => {
    const headers = { ...ask.headers, authorization: "Bearer " + signed };
    const answer = await client(method, path, { ...ask, headers });
    if (answer.status !== status) throw new Error(method + " " + path + ": " + answer.status + " " + answer.body);
    return answer.headers;
  };
  const base = "/v2/" + repository;
  const [config, layer] = ["{}", "layer of " + repository];
  flushCompileCache();
  steps = 0;
  const { location } = await must(202, "POST", base + "/blobs/uploads/");
  await must(202, "PATCH", location, { body: layer.slice(0, 5) });
  await must(202, "PATCH", location, { body: layer.slice(5) });
  await must(201, "PUT", location + "?digest=" + sha256(layer));
  await must(201, "POST", base + "/blobs/uploads/?digest=" + sha256(config), { body: config });
  const manifest = imageManifest({ config, layers: [layer] });
  await must(201, "PUT", base + "/manifests/v1", { headers: { "content-type": imageType }, body: manifest });
  await must(202, "DELETE", base + "/manifests/" + sha256(manifest));
  await must(202, "DELETE", base + "/blobs/" + sha256(layer));
  console.log(steps);
  process.exit(0);
`;

async function runKilledAt(
  settings: { home: string } & Record<string, unknown>,
): Promise<{ survived: boolean; said: string }> {
  const running = spawn(process.execPath, ["--input-type=module", "-e", child], {
    // Many starts of the same program: compiled once.
    env: {
      ...process.env,
      KILL_TEST: JSON.stringify(settings),
      NODE_COMPILE_CACHE: join(settings.home, "compiled"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [running.stdout, running.stderr])
    stream.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const [code, signal] = (await once(running, "close")) as [number | null, string | null];
  if (code !== 0 && signal !== "SIGKILL") throw new Error(`the child ended with ${code}: ${said}`);
  return { survived: code === 0, said };
}

test(
  "a kill before any step leaves whole blobs only, and a push that can be made again",
  { timeout: 600_000 },
  async () => {
    let aheadMs = 0;
    await using opened = await openTestRegistry({ clock: { now: () => new Date(Date.now() + aheadMs) } });
    const { database, registry, client } = opened;
    const { db, blobs, home } = registry;
    const token = await userToken(registry, "killer", "lead");
    const store = imageStore(db);
    const api = createClient({ url: registry.url, token: await userToken(registry, "scrubber", "admin") });

    /** What `towline doctor --scrub` asks, from the first blob to the last and to the files without a row. */
    async function expectWhole(): Promise<void> {
      for (let after: string | null = ""; after !== null;) {
        const part: Awaited<ReturnType<typeof api.scrubImages>> = await api.scrubImages({ body: { after } });
        expect(part).toMatchObject({ hurt: [] });
        after = isRefusal(part) ? null : part.next;
      }
    }

    let at = 1;
    for (; at < mostSteps; at++) {
      const repository = `killed-${at}`;
      const { survived } = await runKilledAt({ databaseUrl: database.url, home, token, repository, at });
      await expectWhole();
      await pushImage(client, { repository, tag: "again" });
      expect((await registryClient(registry.url, token)("GET", `/v2/${repository}/manifests/again`)).status).toBe(200);
      if (survived) break;
    }
    expect(at).toBeGreaterThan(30);
    expect(at).toBeLessThan(mostSteps);

    // Long after, nothing is left that no row knows, and nothing is lost that one knows.
    aheadMs = 25 * 60 * 60 * 1000;
    await registry.images.tasks["images.sweep"]!({}, new AbortController().signal);
    await expectWhole();
    expect(await readdir(join(home, "uploads"))).toEqual([]);
    expect((await sql`select id from image_uploads`.execute(db)).rows).toEqual([]);
    const kept = await Array.fromAsync(blobs.blobs(), ({ key }) => key);
    expect((await store.blobs.known(kept)).toSorted()).toEqual(kept.toSorted());
  },
);
