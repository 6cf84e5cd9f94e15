/** The door to PostgreSQL. Each module narrows `Database` to its own tables in its `store.ts`. */
import { Kysely, PostgresDialect, sql, type Transaction } from "kysely";
import pg from "pg";
import type { Log } from "./log.ts";
import { PreparingClient } from "./preparing-client.ts";

/** No table is known here; a store names its own with `db.withTables<Tables>()`. */
export type Tables = {};
export type Database = Kysely<Tables>;
export type Tx = Transaction<Tables>;

export interface OpenDatabase extends AsyncDisposable {
  db: Database;
  pool: pg.Pool;
}

// Counters are far below 2^53, and strings for numbers invite mistakes.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Opens a pool. A connection that PostgreSQL drops is logged and replaced, never an uncaught error. */
export function openDatabase(url: string, log: Log, connections = 20): OpenDatabase {
  const pool = new pg.Pool({
    Client: PreparingClient,
    connectionString: url,
    max: connections,
    // A new one costs both sides as much as some fifty queries: those of a burst are kept for the next.
    idleTimeoutMillis: 60_000,
    application_name: "towline",
  });
  pool.on("error", (error) => {
    if (!pool.ending) log.warn({ err: error }, "an idle database connection was lost");
  });
  // The listener covers clients at work as well: without one, a killed server process would end ours.
  pool.on("connect", (client) =>
    client.on("error", (error) => {
      lost.add(error);
      log.debug({ err: error }, "a database connection was lost");
    }),
  );
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const dispose = async () => {
    await db.destroy();
    // Kysely ends the pool only if it has used it.
    if (!pool.ending) await pool.end();
  };
  return { db, pool, [Symbol.asyncDispose]: dispose };
}

/** A channel, or a channel and what is said on it. */
export type Bell = string | readonly [channel: string, words: string];

/** Wakes everyone who listens on the channels once the transaction commits; a lost wake costs a sweep's delay, no more. */
export async function notify(tx: Database, ...bells: Bell[]): Promise<void> {
  const channels = bells.map((bell) => (typeof bell === "string" ? bell : bell[0]));
  const words = bells.map((bell) => (typeof bell === "string" ? "" : bell[1]));
  await sql`select pg_notify(channel, words)
    from unnest(${channels}::text[], ${words}::text[]) bell (channel, words)`.execute(tx);
}

/** Whether the database answers a question at all. */
export async function isAnswering(db: Database): Promise<boolean> {
  return sql`select 1`.execute(db).then(
    () => true,
    () => false,
  );
}

/** What ended a connection, and with it each question on it: a pipe to some program may break by the same code. */
const lost = new WeakSet<Error>();

/** What the server says while it ends or starts: https://www.postgresql.org/docs/current/errcodes-appendix.html, class 57. */
const outageCodes = new Set(["57P01", "57P02", "57P03", "ECONNREFUSED", "ECONNRESET", "ENOENT"]);

/** Whether an error says that PostgreSQL is away, and nothing about what was asked of it. */
export function isOutage(error: Error & { code?: string; syscall?: string }): boolean {
  if (lost.has(error)) return true;
  if (error.syscall !== undefined && error.syscall !== "connect" && error.syscall !== "read") return false;
  return (
    outageCodes.has(error.code ?? "") ||
    /^(Connection terminated|Client has encountered a connection error)/.test(error.message)
  );
}
