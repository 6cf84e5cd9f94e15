import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";

type Tables = { build_meta_data: { build: string; key: string; value: string; changed_at: Date } };

export function metaDataStore(database: Database) {
  const db = database.withTables<Tables>();
  const of = (build: string) => db.selectFrom("build_meta_data").where("build", "=", build);
  return {
    put: (build: string, values: Readonly<Record<string, string>>, at: Date) =>
      db
        .insertInto("build_meta_data")
        .values(Object.entries(values).map(([key, value]) => ({ build, key, value, changed_at: at })))
        .onConflict((conflict) =>
          conflict.columns(["build", "key"]).doUpdateSet((row) => ({
            value: row.ref("excluded.value"),
            changed_at: row.ref("excluded.changed_at"),
          })),
        )
        .execute(),
    get: async (build: string, key: string) =>
      (await of(build).select("value").where("key", "=", key).executeTakeFirst())?.value,
    keys: async (build: string) => (await of(build).select("key").orderBy("key").execute()).map(({ key }) => key),
    async all(build: string): Promise<Record<string, string>> {
      const rows = await of(build).select(["key", "value"]).orderBy("key").execute();
      return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
    },
    size: (build: string) =>
      of(build)
        .select([
          sql<number>`count(*)`.as("keys"),
          sql<number>`coalesce(sum(octet_length(value)), 0)::bigint`.as("bytes"),
        ])
        .executeTakeFirstOrThrow(),
  };
}
