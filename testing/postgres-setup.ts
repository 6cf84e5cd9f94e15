/** Vitest global set-up of the suites that need PostgreSQL: one server a run, one migrated template database. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { openDatabase } from "#kernel/database.ts";
import { startEmbeddedPostgres } from "#kernel/embedded-postgres.ts";
import { createLog } from "#kernel/log.ts";
import { migrate } from "#kernel/migrations.ts";
import { onServer, template } from "./template.ts";

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(tmpdir(), "towline-test-"));
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
