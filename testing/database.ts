/** A fresh, migrated database for a test file, copied from a template on one embedded PostgreSQL for the whole run. */
import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { inject } from "vitest";
import { type Database, openDatabase, type OpenDatabase } from "#kernel/database.ts";
import { createLog, type Log } from "#kernel/log.ts";
import { onServer, template } from "./template.ts";

export interface TestDatabase extends OpenDatabase {
  url: string;
  log: Log;
}

export async function testDatabase(): Promise<TestDatabase> {
  const server = inject("postgresUrl");
  const name = `test_${randomBytes(6).toString("hex")}`;
  await onServer(server, `create database ${name} template ${template}`);
  const url = server.replace(/\/[^/]*$/, `/${name}`);
  const log = createLog(process.env["TEST_LOG"] ?? "silent");
  const opened = openDatabase(url, log, 10);
  return {
    ...opened,
    url,
    log,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await onServer(server, `drop database ${name} with (force)`);
    },
  };
}

/** How many wait for a lock that another transaction holds. */
export async function lockWaiters(db: Database): Promise<number> {
  const { rows } = await sql`
    select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows.length;
}

declare module "vitest" {
  interface ProvidedContext {
    postgresUrl: string;
  }
}
