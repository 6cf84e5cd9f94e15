import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { SourceTables } from "./store.ts";

export type CommentRow = SourceTables["review_comments"];

export function commentStore(database: Database) {
  const db = database.withTables<SourceTables>();
  return {
    list: (repository: string, number: number): Promise<CommentRow[]> =>
      db
        .selectFrom("review_comments")
        .selectAll()
        .where("repository", "=", repository)
        .where("number", "=", number)
        .orderBy("at")
        .orderBy("id")
        .execute(),
    count: async (repository: string, number: number): Promise<number> => {
      const { count } = await db
        .selectFrom("review_comments")
        .select(sql<number>`count(*)::int`.as("count"))
        .where("repository", "=", repository)
        .where("number", "=", number)
        .executeTakeFirstOrThrow();
      return count;
    },
    find: (id: string): Promise<CommentRow | undefined> =>
      db.selectFrom("review_comments").selectAll().where("id", "=", id).executeTakeFirst(),
    insert: (row: CommentRow) => db.insertInto("review_comments").values(row).execute(),
    remove: (id: string) => db.deleteFrom("review_comments").where("id", "=", id).execute(),
  };
}
