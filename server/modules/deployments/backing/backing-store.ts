import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { BackingRow } from "../store.ts";

export interface WorkRow {
  id: string;
  kind: "backup" | "restore";
  environment: string;
  name: string;
  state: "running" | "succeeded" | "failed" | "canceled";
  phase: "dumping" | "waiting" | "filling" | "undoing" | "switched" | "back" | "ended";
  ending: "failed" | "canceled" | null;
  detail: string | null;
  actor: string;
  of_restore: string | null;
  image: string;
  format: string;
  digest: string | null;
  size: number;
  source: string | null;
  safety: string | null;
  former_volume: string | null;
  held: string[] | null;
  cancel_by: string | null;
  started_at: Date;
  finished_at: Date | null;
}

export type At = Pick<BackingRow, "environment" | "name">;

type Tables = { backing_works: WorkRow; backings: BackingRow };

const nothing = { ending: null, detail: null, of_restore: null, digest: null, source: null, safety: null };

export const newWork = {
  ...nothing,
  ...{ state: "running" as const, size: 0, former_volume: null, held: null, cancel_by: null, finished_at: null },
};

/** What did not end well is told for so long. */
const keptFailures = 20;

export function backingStore(database: Database) {
  return { ...workStore(database), ...backupStore(database), ...changeStore(database) };
}

function workStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    /** Nothing when another work of the same backing service runs. */
    insertWork: (row: WorkRow) =>
      db
        .insertInto("backing_works")
        .values({ ...row, held: null })
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst(),
    work: (id: string) => db.selectFrom("backing_works").selectAll().where("id", "=", id).executeTakeFirst(),
    lockWork: (id: string) =>
      db.selectFrom("backing_works").selectAll().where("id", "=", id).forUpdate().executeTakeFirst(),
    changeWork: (id: string, { held, ...rest }: Partial<WorkRow>) =>
      db
        .updateTable("backing_works")
        .set({ ...rest, ...(held ? { held: sql<string[]>`${JSON.stringify(held)}::jsonb` } : {}) })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow(),
    /** Those that were asked for and have not ended. */
    openWorks: () =>
      db
        .selectFrom("backing_works")
        .selectAll()
        .where("state", "=", "running")
        .where("of_restore", "is", null)
        .execute(),
    openWork: ({ environment, name }: At) =>
      db
        .selectFrom("backing_works")
        .selectAll()
        .where("environment", "=", environment)
        .where("name", "=", name)
        .where("state", "=", "running")
        .where("of_restore", "is", null)
        .executeTakeFirst(),
    works: ({ environment, name, limit }: At & { limit: number }) =>
      db
        .selectFrom("backing_works")
        .selectAll()
        .where("environment", "=", environment)
        .where("name", "=", name)
        .orderBy("started_at", "desc")
        .limit(limit)
        .execute(),
  };
}

function backupStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    /** The newest backup of each backing service. */
    newestBackups: () =>
      db
        .selectFrom("backing_works")
        .distinctOn(["environment", "name"])
        .select(["environment", "name", "id", "finished_at"])
        .where("kind", "=", "backup")
        .where("state", "=", "succeeded")
        .orderBy("environment")
        .orderBy("name")
        .orderBy("started_at", "desc")
        .execute(),
    /** Forgets backups beyond the newest ones, but for those that are being restored, and old failures. */
    async forgetOld({ environment, name, keep }: At & { keep: number }): Promise<void> {
      await sql`delete from backing_works where id in (
        select id from (
          select id, state, row_number() over (partition by kind = 'backup' and state = 'succeeded' order by started_at desc) as place,
            kind = 'backup' and state = 'succeeded' as kept
          from backing_works where environment = ${environment} and name = ${name} and state <> 'running'
        ) ended where place > case when kept then ${keep}::int else ${keptFailures}::int end
      ) and id not in (select unnest(array[source, safety]) from backing_works where state = 'running' and source is not null)`.execute(
        db,
      );
    },
    /** Digests of all contents that are kept. */
    async digests(): Promise<Set<string>> {
      const rows = await db.selectFrom("backing_works").select("digest").where("digest", "is not", null).execute();
      return new Set(rows.flatMap(({ digest }) => digest ?? []));
    },
  };
}

function changeStore(database: Database) {
  const db = database.withTables<Tables>();
  const at = ({ environment, name }: At) =>
    db.updateTable("backings").where("environment", "=", environment).where("name", "=", name);
  return {
    /** From its next generation on it has this volume. */
    useVolume: (place: At, volume: string | null) =>
      at(place)
        .set({ volume, generation: sql<number>`generation + 1` })
        .execute(),
    markRemoving: (place: At) => at(place).set({ removing: true }).execute(),
    deleteBacking: ({ environment, name }: At) =>
      db.deleteFrom("backings").where("environment", "=", environment).where("name", "=", name).execute(),
  };
}
