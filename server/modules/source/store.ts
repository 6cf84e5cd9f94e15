import { type Generated, sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { Refs } from "./core/ref-changes.ts";

export type SourceTables = {
  repositories: {
    name: string;
    default_branch: Generated<string>;
    allow_direct_push: boolean;
    required_approvals: number;
    require_build: boolean;
    next_number: Generated<number>;
    created_at: Generated<Date>;
  };
  refs: { repository: string; name: string; revision: string; actor: string | null };
  pull_requests: {
    repository: string;
    number: number;
    title: string;
    body: string;
    branch: string;
    author: string;
    head: string;
    state: Generated<"open" | "merged" | "closed">;
    merge_commit: Generated<string | null>;
    ended_by: Generated<string | null>;
    created_at: Generated<Date>;
    ended_at: Generated<Date | null>;
  };
  approvals: { repository: string; number: number; user_name: string; revision: string; at: Date };
  change_requests: { repository: string; number: number; user_name: string; revision: string; at: Date };
  review_comments: {
    id: string;
    repository: string;
    number: number;
    author: string;
    body: string;
    at: Date;
    revision: string | null;
    path: string | null;
    side: "old" | "new" | null;
    line: number | null;
    line_text: string | null;
  };
  checks: {
    repository: string;
    commit: string;
    build: string;
    number: number;
    outcome: "passed" | "failed" | "canceled";
    of_services: boolean;
    at: Generated<Date>;
  };
  service_checks: {
    repository: string;
    commit: string;
    folder: string;
    service: string;
    build: string;
    number: number;
    outcome: "passed" | "failed" | "canceled" | null;
    reason: string | null;
    at: Generated<Date>;
  };
};

/** Repositories and refs; pull requests have a store of their own. */
export function sourceStore(database: Database) {
  const db = database.withTables<SourceTables>();
  return {
    repositories: () => db.selectFrom("repositories").selectAll().orderBy("name").execute(),
    repository: (name: string) => db.selectFrom("repositories").selectAll().where("name", "=", name).executeTakeFirst(),
    /** Holds the row for the rest of the transaction: whoever changes refs or pull requests comes one after the other. */
    lockRepository: (name: string) =>
      db.selectFrom("repositories").selectAll().where("name", "=", name).forUpdate().executeTakeFirst(),
    insertRepository: (row: Rules & { name: string }) =>
      db
        .insertInto("repositories")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst(),
    updateRepository: (name: string, rules: Partial<Rules>) =>
      db.updateTable("repositories").set(rules).where("name", "=", name).returningAll().executeTakeFirst(),
    takeNumber: async (name: string) => {
      const { next_number } = await db
        .updateTable("repositories")
        .set({ next_number: sql`next_number + 1` })
        .where("name", "=", name)
        .returning("next_number")
        .executeTakeFirstOrThrow();
      return next_number - 1;
    },

    refs: async (repository: string): Promise<Refs> => {
      const rows = await db
        .selectFrom("refs")
        .select(["name", "revision"])
        .where("repository", "=", repository)
        .execute();
      return new Map(rows.map(({ name, revision }) => [name, revision]));
    },
    ref: (repository: string, name: string) =>
      db
        .selectFrom("refs")
        .select(["revision", "actor"])
        .where("repository", "=", repository)
        .where("name", "=", name)
        .executeTakeFirst(),
    putRef: (repository: string, name: string, moved: { revision: string; actor: string | null }) =>
      db
        .insertInto("refs")
        .values({ repository, name, ...moved })
        .onConflict((conflict) => conflict.columns(["repository", "name"]).doUpdateSet(moved))
        .execute(),
    deleteRef: (repository: string, name: string) =>
      db.deleteFrom("refs").where("repository", "=", repository).where("name", "=", name).execute(),
  };
}

interface Rules {
  allow_direct_push: boolean;
  required_approvals: number;
  require_build: boolean;
}

export type RepositoryRow = NonNullable<Awaited<ReturnType<ReturnType<typeof sourceStore>["repository"]>>>;
