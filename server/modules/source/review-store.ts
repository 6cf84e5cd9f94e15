import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { SourceTables } from "./store.ts";

export interface Check {
  repository: string;
  commit: string;
  build: string;
  number: number;
  outcome: "passed" | "failed" | "canceled";
}

/** What people and builds say about revisions. */
export function reviewStore(database: Database) {
  const db = database.withTables<SourceTables>();
  return {
    approvals: (repository: string, numbers: number[]) =>
      db
        .selectFrom("approvals")
        .selectAll()
        .where("repository", "=", repository)
        .where("number", "in", numbers.length > 0 ? numbers : [0])
        .orderBy("at")
        .execute(),
    approve: (row: { repository: string; number: number; user_name: string; revision: string; at: Date }) =>
      db
        .insertInto("approvals")
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(["repository", "number", "user_name"])
            .doUpdateSet({ revision: row.revision, at: row.at })
            .where("approvals.revision", "!=", row.revision),
        )
        .returning("revision")
        .executeTakeFirst(),

    checks: (repository: string, commits: string[]) =>
      db
        .selectFrom("checks")
        .selectAll()
        .where("repository", "=", repository)
        .where("commit", "in", commits.length > 0 ? commits : [""])
        .execute(),
    /** Keeps the newest build's word; an older one that ends later changes nothing. */
    noteCheck: ({ repository, commit, ...end }: Check) =>
      db
        .insertInto("checks")
        .values({ repository, commit, ...end })
        .onConflict((conflict) =>
          conflict
            .columns(["repository", "commit"])
            .doUpdateSet({ ...end, at: sql`now()` })
            .where("checks.number", "<=", end.number),
        )
        .execute(),
  };
}
