/** Vitest global set-up of the suites that need PostgreSQL: one server a run, one migrated template database. */
import { chmod, mkdtemp, readdir, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { openDatabase } from "#kernel/database.ts";
import { startEmbeddedPostgres } from "#kernel/embedded-postgres.ts";
import { createLog } from "#kernel/log.ts";
import { migrate } from "#kernel/migrations.ts";
import { commandOf } from "#kernel/process-facts.ts";
import { onServer, template } from "./template.ts";

const prefix = "towline-postgres-";

/** Bytes: more than all databases of a run have at a time. */
const roomNeeded = 4 * 1024 ** 3;

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = await roomyFolder();
  await removeLeft(folder);
  const home = await mkdtemp(join(folder, `${prefix}${process.pid}-`));
  // Passable, so that PostgreSQL, which is another user where we are root, lives inside it and goes with it.
  await chmod(home, 0o711);
  const log = createLog("silent");
  // Durability is tested where it matters, on a server of its own; here it would only cost time.
  const server = await startEmbeddedPostgres(home, log, [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
  ]);
  await onServer(server.url, `create database ${template}`);
  await using opened = openDatabase(server.url.replace(/\/[^/]*$/, `/${template}`), log);
  await migrate(opened.pool);
  project.provide("postgresUrl", server.url);
  return async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  };
}

/**
 * In memory where there is room: a database is some 600 files, and a file system on disk takes longer to make and remove
 * them than the tests take.
 */
async function roomyFolder(): Promise<string> {
  const memory = "/dev/shm";
  const room = await statfs(memory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return room > roomNeeded ? memory : tmpdir();
}

/** A run that was killed could not give back the memory. */
async function removeLeft(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, pid] = name.startsWith(prefix) ? (/-(\d+)-\w+$/.exec(name) ?? []) : [];
    if (pid !== undefined && (await commandOf(Number(pid))) === undefined)
      await rm(join(folder, name), { recursive: true, force: true });
  }
}
