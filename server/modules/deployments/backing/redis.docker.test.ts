/** The tools of a real image, in a real container. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { backingDefaults, dumpTools } from "#pipeline/backing-defaults.ts";
import { createDumpBed } from "#testing/dump-bed.ts";
import { until } from "#testing/until.ts";
import type { World } from "../steps/step.ts";
import { dumpTo, restoreFrom } from "./dump.ts";

const run = promisify(execFile);
const at = { environment: "test", name: "cache" };
const { signal } = new AbortController();

const ask = async (id: string, ...words: string[]) =>
  (await run("docker", ["exec", id, "redis-cli", ...words])).stdout.trim();

test("Redis is dumped while it serves, and what is restored is there when it starts again; what cannot be is refused by its tool", async () => {
  await using bed = await createDumpBed("redis");
  const { runtime, backups, image } = bed;
  const tools = dumpTools({ image });
  const { path } = backingDefaults(image) ?? {};
  if (!tools || !path) throw new Error("nothing is known of Redis");
  const fleet = { backingPassword: async () => "correct horse" };
  const world = { runtime, backups, fleet, diskFloor: 0 } as unknown as World;
  /** Its life is the name of one of several instances that have the volume after each other. */
  const start = async (volume: string, life: string, command: string[] = []) => {
    const more = { env: {}, volumes: [{ name: volume, path }], ...(command.length > 0 ? { command } : {}) };
    const instance = await bed.start(`${volume}-${life}`, more);
    await until(async () => (await ask(instance.id, "ping").catch(() => "")) === "PONG", { deadlineMs: 60_000 });
    return instance;
  };
  const restored = async (volume: string, digest: string, command?: string[]) => {
    const filled = await start(volume, "filled", command);
    await restoreFrom(world, { at, instance: filled, tools, digest, signal });
    await runtime.stop(filled.id, { graceMs: 10_000 });
    await runtime.remove(filled.id);
    return start(volume, "serving", command);
  };

  const first = await start("first", "serving");
  await ask(first.id, "eval", "for n = 1, 1000 do redis.call('set', 'order:' .. n, string.rep(n, 50)) end", "0");
  await ask(first.id, "config", "set", "repl-diskless-sync-delay", "0");
  const work = { ...at, id: crypto.randomUUID() };
  const { digest } = await dumpTo(world, { work, instance: first, tools, progress: async () => {}, signal });
  await ask(first.id, "flushall");
  const second = await restored("second", digest);
  expect([await ask(second.id, "dbsize"), await ask(second.id, "get", "order:7")]).toEqual(["1000", "7".repeat(50)]);

  const appending = restored("third", digest, ["redis-server", "--appendonly", "yes"]);
  await expect(appending).rejects.toThrow("append-only file, which wins over what is restored");
  await expect(restored("fourth", await bed.keep("rows"))).rejects.toThrow(/of cache ended with 1/);
});
