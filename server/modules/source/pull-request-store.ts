import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { SourceTables } from "./store.ts";

type PullRequestState = "open" | "merged" | "closed";

export interface PullRequestFilter {
  repository?: string | undefined;
  state?: PullRequestState | undefined;
  of?: { user: string; as: "author" | "reviewer" } | undefined;
  limit: number;
}

export function pullRequestStore(database: Database) {
  const db = database.withTables<SourceTables>();
  const one = (repository: string, number: number) =>
    db.selectFrom("pull_requests").selectAll().where("repository", "=", repository).where("number", "=", number);
  return {
    /** The newest first; `of`: of one person, as `listPullRequests` tells them. */
    list: ({ repository, state, of, limit }: PullRequestFilter) =>
      db
        .selectFrom("pull_requests")
        .selectAll()
        .$if(repository !== undefined, (query) => query.where("repository", "=", repository ?? ""))
        .$if(state !== undefined, (query) => query.where("state", "=", state ?? "open"))
        .$if(of?.as === "author", (query) => query.where("author", "=", of?.user ?? ""))
        .$if(of?.as === "reviewer", (query) =>
          query
            .where("state", "=", "open")
            .where("author", "!=", of?.user ?? "")
            .where(noWordOf(of?.user ?? "")),
        )
        .orderBy("created_at", "desc")
        .orderBy("repository")
        .orderBy("number", "desc")
        .limit(limit)
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

/** Whether somebody has said nothing of the head of a pull request. */
function noWordOf(user: string) {
  const words = (table: "approvals" | "change_requests") => sql`select 1 from ${sql.table(table)} as words
    where words.repository = pull_requests.repository and words.number = pull_requests.number
      and words.revision = pull_requests.head and words.user_name = ${user}`;
  return sql<boolean>`not exists (${words("approvals")}) and not exists (${words("change_requests")})`;
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
