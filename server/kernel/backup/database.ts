/**
 * The database as text, by plain SQL, since the embedded PostgreSQL has no dump tools: every row of every table as PostgreSQL itself
 * writes it, all as of one moment, while the server works. It goes back into a schema made by the same migrations, so that another
 * version of PostgreSQL takes it too.
 */
import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { refuse, type Refusal } from "#api/errors.ts";
import { migrate } from "../migrations.ts";

export interface DatabaseFacts {
  /** Rows by table. */
  tables: Record<string, number>;
  /** Next values, by sequence. */
  sequences: Record<string, string>;
  /** Migrations that made the schema, with the hashes of their texts. */
  migrations: Record<string, string>;
}

const rowsAtOnce = 500;
const quoted = (name: string) => pg.escapeIdentifier(name);
/** The schema knows it already. */
const ofSchema = "migrations";

/** One file a table, one row a line, as JSON texts. */
export async function dumpDatabase(url: string, folder: string): Promise<DatabaseFacts> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const client = await connect(url);
  try {
    await client.query("begin transaction isolation level repeatable read read only");
    const tables: Record<string, number> = {};
    for (const table of await tablesOf(client)) tables[table] = await dumpTable(client, table, fileOf(folder, table));
    const { rows } = await client.query<{ name: string; hash: string }>(
      "select name, hash from migrations order by name",
    );
    const migrations = Object.fromEntries(rows.map(({ name, hash }) => [name, hash]));
    return { tables, sequences: await readSequences(client), migrations };
  } finally {
    await client.end();
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // One that is lost between two queries is told by the next.
  client.on("error", () => {});
  await client.connect();
  return client;
}

const fileOf = (folder: string, table: string) => join(folder, `${table}.rows`);

async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' and tablename <> $1 order by 1",
    [ofSchema],
  );
  return rows.map(({ name }) => name);
}

async function dumpTable(client: pg.Client, table: string, path: string): Promise<number> {
  await using file = await open(path, "wx", 0o600);
  await client.query(`declare rows no scroll cursor for select t::text as row from ${quoted(table)} t`);
  let count = 0;
  for (;;) {
    const { rows } = await client.query<{ row: string }>(`fetch ${rowsAtOnce} from rows`);
    if (rows.length === 0) break;
    count += rows.length;
    await file.writeFile(rows.map(({ row }) => `${JSON.stringify(row)}\n`).join(""));
  }
  await client.query("close rows");
  return count;
}

async function readSequences(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; last: string | null }>(
    "select sequencename as name, last_value::text as last from pg_sequences where schemaname = 'public'",
  );
  return Object.fromEntries(rows.flatMap(({ name, last }) => (last === null ? [] : [[name, last]])));
}

/** Into an empty database, in one transaction. Refused where it is not empty, or where this version is older than the backup. */
export async function loadDatabase(url: string, folder: string, facts: DatabaseFacts): Promise<Refusal | undefined> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  // It counts as ended before its connection is, which may hear meanwhile that the server stops.
  pool.on("error", () => {});
  try {
    const { rows } = await pool.query("select 1 from pg_tables where schemaname = 'public' limit 1");
    if (rows.length > 0) return refuse("conflict", "the database is not empty");
    const unknown = await migrate(pool, facts.migrations);
    if (unknown !== undefined)
      return refuse("conflict", `the backup was made by another version, which has the migration ${unknown}`, {
        fix: "Restore with that version or a newer one.",
      });
  } finally {
    await pool.end();
  }
  const client = await connect(url);
  try {
    await client.query("begin");
    // Rows come table by table, whoever refers to whom; nothing is to react to them.
    await client.query("set local session_replication_role = replica");
    for (const [table, count] of Object.entries(facts.tables)) {
      const loaded = await loadTable(client, table, fileOf(folder, table));
      if (loaded !== count)
        return refuse("conflict", `${table} has ${loaded} rows in the backup, and should have ${count}`);
    }
    for (const [name, last] of Object.entries(facts.sequences))
      await client.query("select setval($1::regclass, $2)", [quoted(name), last]);
    await client.query("commit");
    return undefined;
  } finally {
    await client.end();
  }
}

async function loadTable(client: pg.Client, table: string, path: string): Promise<number> {
  await client.query(`delete from ${quoted(table)}`);
  const insert = `insert into ${quoted(table)} overriding system value select (r::${quoted(table)}).* from unnest($1::text[]) r`;
  let [count, batch] = [0, [] as string[]];
  const flush = async () => {
    if (batch.length > 0) await client.query(insert, [batch]);
    count += batch.length;
    batch = [];
  };
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    batch.push(JSON.parse(line) as string);
    if (batch.length >= rowsAtOnce) await flush();
  }
  await flush();
  return count;
}
