import type { Generated } from "kysely";
import type { Database } from "#kernel/database.ts";

type IngressTables = {
  ingresses: { name: string; token: string; serves: Generated<boolean>; created_at: Generated<Date> };
};

export function ingressStore(database: Database) {
  const db = database.withTables<IngressTables>();
  return {
    all: () => db.selectFrom("ingresses").selectAll().orderBy("name").execute(),
    insert: (row: { name: string; token: string }) =>
      db
        .insertInto("ingresses")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .returning("name")
        .executeTakeFirst(),
    /** Undefined where that was so already, or there is none. */
    setServes: (name: string, serves: boolean) =>
      db
        .updateTable("ingresses")
        .set({ serves })
        .where("name", "=", name)
        .where("serves", "!=", serves)
        .returning("name")
        .executeTakeFirst(),
    delete: (name: string) => db.deleteFrom("ingresses").where("name", "=", name).returning("token").executeTakeFirst(),
  };
}
