/** The tools of a real image, in a real container. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { dumpTools } from "#pipeline/backing-defaults.ts";
import { createDumpBed } from "#testing/dump-bed.ts";
import { until } from "#testing/until.ts";
import type { World } from "../steps/step.ts";
import { dumpTo, restoreFrom } from "./dump.ts";

const run = promisify(execFile);
const at = { environment: "test", name: "db" };
const { signal } = new AbortController();

async function openScene() {
  const bed = await createDumpBed("postgres");
  const { runtime, backups } = bed;
  const fleet = { backingPassword: async () => "correct horse" };
  const world = { runtime, backups, fleet, diskFloor: 0 } as unknown as World;
  const start = async (name: string) => {
    const instance = await bed.start(name, {
      env: { POSTGRES_PASSWORD: "correct horse", PGDATA: "/var/lib/towline/data" },
      volumes: [{ name, path: "/var/lib/towline" }],
    });
    // While it is being made it listens on no address.
    await until(async () => (await ask(instance.id, "select 1", "127.0.0.1").catch(() => "")) === "1", {
      deadlineMs: 60_000,
    });
    return instance;
  };
  const ask = async (id: string, sql: string, host = "/var/run/postgresql") => {
    const login = ["exec", "-e", "PGPASSWORD=correct horse", id, "psql", "-h", host, "-U", "postgres"];
    return (await run("docker", [...login, "-v", "ON_ERROR_STOP=1", "-Atc", sql])).stdout.trim();
  };
  return { ...bed, world, start, ask };
}

test("Postgres is dumped while it serves and restored into an empty one, row by row; what is no dump is refused by its tool", async () => {
  await using scene = await openScene();
  const { world, backups, start, ask } = scene;
  const tools = dumpTools(scene);
  if (!tools) throw new Error("the tools of Postgres are not known");
  const [first, second] = [await start("first"), await start("second")];
  await ask(first.id, "create table orders (id int primary key, note text)");
  await ask(first.id, "insert into orders select n, repeat(md5(n::text), 40) from generate_series(1, 20000) n");
  const work = { ...at, id: crypto.randomUUID() };
  const sizes: number[] = [];
  const progress = async (size: number) => void sizes.push(size);
  const dump = await dumpTo(world, { work, instance: first, tools, progress, signal });
  expect(await backups.size(dump.digest)).toBe(dump.size);
  await restoreFrom(world, { at, instance: second, tools, digest: dump.digest, signal });
  const sum = "select count(*) || ' ' || md5(string_agg(note, ',' order by id)) from orders";
  expect(await ask(second.id, sum)).toBe(await ask(first.id, sum));

  // A second restore finds the table there already, long before its input has ended.
  const again = restoreFrom(world, { at, instance: second, tools, digest: dump.digest, signal });
  await expect(again).rejects.toThrow(/pg_restore of db ended with 1[^]*already exists/);
  expect(await ask(second.id, sum)).toBe(await ask(first.id, sum));

  const digest = await scene.keep("rows");
  const wrong = restoreFrom(world, { at, instance: second, tools, digest, signal });
  await expect(wrong).rejects.toThrow(/pg_restore of db ended with 1/);

  const missing = { ...tools, backup: ["sh", "-c", "exec mongodump"] };
  const none = dumpTo(world, { work, instance: first, tools: missing, progress, signal });
  await expect(none).rejects.toThrow(/mongodump of db ended with 127: the image lacks a program/);
  const full = { ...world, diskFloor: Number.MAX_SAFE_INTEGER };
  await expect(dumpTo(full, { work, instance: first, tools, progress, signal })).rejects.toThrow("no room");
  await world.runtime.stop(first.id, { graceMs: 5_000 });
  await expect(dumpTo(world, { work, instance: first, tools, progress, signal })).rejects.toThrow("no instance");
});
