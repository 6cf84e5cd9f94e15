/** Numbered plain SQL migrations, each in its own transaction, all under one advisory lock. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type pg from "pg";

const folder = fileURLToPath(new URL("../migrations/", import.meta.url));

/** Any fixed number: it only has to differ from the other advisory locks of the database. */
const lockKey = 7_300_001;

/**
 * Brings the schema up to date, or with `only` to what these migrations (with the hashes of their texts) make; safe to call from several
 * processes at once. Throws when an applied file was changed. Answers one of `only` that is not known here; nothing is done then.
 */
export async function migrate(pool: pg.Pool, only?: Readonly<Record<string, string>>): Promise<string | undefined> {
  const unknown = only && (await unknownOf(only));
  if (unknown !== undefined) return unknown;
  const client = await pool.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [lockKey]);
    await applyMissing(client, only);
    return undefined;
  } finally {
    await client.query("select pg_advisory_unlock($1)", [lockKey]).catch(() => {});
    client.release();
  }
}

async function unknownOf(wanted: Readonly<Record<string, string>>): Promise<string | undefined> {
  for (const [name, hash] of Object.entries(wanted)) {
    const text = /^\d{4}_\w+\.sql$/.test(name)
      ? await readFile(folder + name, "utf8").catch(() => undefined)
      : undefined;
    if (text === undefined || hashOf(text) !== hash) return name;
  }
  return undefined;
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

async function applyMissing(client: pg.PoolClient, only?: Readonly<Record<string, string>>): Promise<void> {
  await client.query(
    "create table if not exists migrations (name text primary key, hash text not null, applied_at timestamptz not null default now())",
  );
  const applied = new Map<string, string>(
    (await client.query<{ name: string; hash: string }>("select name, hash from migrations")).rows.map((row) => [
      row.name,
      row.hash,
    ]),
  );
  const isWanted = (file: string) => /^\d{4}_.*\.sql$/.test(file) && (!only || Object.hasOwn(only, file));
  for (const name of (await readdir(folder)).filter(isWanted).toSorted()) {
    const text = await readFile(folder + name, "utf8");
    const hash = hashOf(text);
    const before = applied.get(name);
    if (before === undefined) await applyOne(client, name, { text, hash });
    else if (before !== hash)
      throw new Error(`migration ${name} was changed after it was applied; write a new one instead`);
  }
}

async function applyOne(client: pg.PoolClient, name: string, file: { text: string; hash: string }): Promise<void> {
  await client.query("begin");
  try {
    await client.query(file.text);
    await client.query("insert into migrations (name, hash) values ($1, $2)", [name, file.hash]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw new Error(`migration ${name} failed`, { cause: error });
  }
}
