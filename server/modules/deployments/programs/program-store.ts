import type { Database } from "#kernel/database.ts";
import type { Place } from "../store.ts";

export interface ProgramRow extends Place {
  /** Also its name in the instance. */
  id: string;
  instance: string;
  actor: string;
  started_at: Date;
}

export function programStore(database: Database) {
  const db = database.withTables<{ programs: ProgramRow }>();
  return {
    open: () => db.selectFrom("programs").selectAll().execute(),
    insert: (row: ProgramRow) => db.insertInto("programs").values(row).execute(),
    /** Answers whether it was there: of two who tell an end, one does. */
    async remove(id: string): Promise<boolean> {
      const removed = await db.deleteFrom("programs").where("id", "=", id).returning("id").execute();
      return removed.length > 0;
    },
  };
}
