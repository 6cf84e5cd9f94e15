import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { SourceTables } from "./store.ts";

type PullRequestState = "open" | "merged" | "closed";

const listLimit = 100;

export function pullRequestStore(database: Database) {
  const db = database.withTables<SourceTables>();
  const one = (repository: string, number: number) =>
    db.selectFrom("pull_requests").selectAll().where("repository", "=", repository).where("number", "=", number);
  return {
    list: (repository: string, state: PullRequestState | undefined) =>
      db
        .selectFrom("pull_requests")
        .selectAll()
        .where("repository", "=", repository)
        .$if(state !== undefined, (query) => query.where("state", "=", state as PullRequestState))
        .orderBy("number", "desc")
        .limit(listLimit)
        .execute(),
    find: (repository: string, number: number) => one(repository, number).executeTakeFirst(),
    open: (repository: string) =>
      db
        .selectFrom("pull_requests")
        .selectAll()
        .where("repository", "=", repository)
        .where("state", "=", "open")
        .orderBy("number")
        .execute(),
    insert: (row: NewPullRequest) =>
      db.insertInto("pull_requests").values(row).returningAll().executeTakeFirstOrThrow(),
    moveHead: (repository: string, branch: string, head: string) =>
      db
        .updateTable("pull_requests")
        .set({ head })
        .where("repository", "=", repository)
        .where("branch", "=", branch)
        .where("state", "=", "open")
        .execute(),
    /** Notes who is about to merge and the commit that the default branch is about to get. */
    intendMerge: (repository: string, number: number, merge: { commit: string; user: string }) =>
      db
        .updateTable("pull_requests")
        .set({ merge_commit: merge.commit, ended_by: merge.user })
        .where("repository", "=", repository)
        .where("number", "=", number)
        .where("state", "=", "open")
        .execute(),
    end: (row: { repository: string; number: number }, end: PullRequestEnd) =>
      db
        .updateTable("pull_requests")
        .set({ ...end, ended_at: sql`now()` })
        .where("repository", "=", row.repository)
        .where("number", "=", row.number)
        .where("state", "=", "open")
        .execute(),
  };
}

interface NewPullRequest {
  repository: string;
  number: number;
  title: string;
  body: string;
  branch: string;
  author: string;
  head: string;
}

interface PullRequestEnd {
  state: "merged" | "closed";
  merge_commit: string | null;
  ended_by: string | null;
}

export type PullRequestRow = NonNullable<Awaited<ReturnType<ReturnType<typeof pullRequestStore>["find"]>>>;
