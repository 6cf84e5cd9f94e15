import { Kysely, PostgresDialect } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { TestDatabase } from "./database.ts";

/** The test's database by another door, which tells of each statement that is sent. */
export function countedDatabase({ pool }: TestDatabase, onStatement: (sql: string) => void): Database {
  return new Kysely({ dialect: new PostgresDialect({ pool }), log: ({ query }) => onStatement(query.sql) });
}
