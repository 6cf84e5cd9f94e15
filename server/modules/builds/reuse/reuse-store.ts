/** SQL of results that later builds may use again, and of what names of images stood for last. */
import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { JobAttempt } from "../core/attempts.ts";

export interface ResultRow extends JobAttempt {
  repository: string;
  key: string;
  branch: string;
  build: string;
  number: number;
  artifacts: number;
  /** As the step names it; null where no container of the agent ran. */
  image: string | null;
  resolved: string | null;
  at: Date;
}

type Tables = {
  build_results: ResultRow;
  build_images: { name: string; resolved: string; seen_at: Date };
  build_artifacts: { job: string; attempt: number; complete: boolean };
  build_logs: { job: string; attempt: number; complete: boolean; removed_at: Date | null };
};

/** Whose results a build may use. */
export interface Wanted {
  repository: string;
  branches: string[];
  keys: string[];
  /** Older results do not count. */
  since: Date;
}

export function reuseStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    /** In place of an older one. */
    keep: (row: ResultRow) =>
      db
        .insertInto("build_results")
        .values(row)
        .onConflict((conflict) => conflict.columns(["repository", "key", "branch"]).doUpdateSet(row))
        .execute(),
    /** The newest first; only those whose image is still what it was. */
    find: ({ repository, branches, keys, since }: Wanted): Promise<ResultRow[]> =>
      db
        .selectFrom("build_results as r")
        .leftJoin("build_images as i", "i.name", "r.image")
        .selectAll("r")
        .where("repository", "=", repository)
        .where("key", "in", keys)
        .where("branch", "in", branches)
        .where("at", ">", since)
        .where((row) => row.or([row("r.image", "is", null), row("r.resolved", "=", row.ref("i.resolved"))]))
        .orderBy("at", "desc")
        .execute(),
    artifactsOf: async ({ job, attempt }: JobAttempt): Promise<number> => {
      const count = db.selectFrom("build_artifacts").select(sql<number>`count(*)`.as("count"));
      return (await count.where((row) => row.and({ job, attempt, complete: true })).executeTakeFirstOrThrow()).count;
    },
    /** Whether the log and all files of the attempt are there; they stay until the transaction ends. */
    async holdWhole({ job, attempt, artifacts }: ResultRow): Promise<boolean> {
      const log = db.selectFrom("build_logs").select("job").forShare();
      const logs = log.where((row) => row.and({ job, attempt, complete: true })).where("removed_at", "is", null);
      if (!(await logs.executeTakeFirst())) return false;
      const files = db.selectFrom("build_artifacts").select("job").forShare();
      const found = await files.where((row) => row.and({ job, attempt, complete: true })).execute();
      return found.length === artifacts;
    },
    imageOf: async (name: string) =>
      db.selectFrom("build_images").selectAll().where("name", "=", name).executeTakeFirst(),
    putImage: (row: Tables["build_images"]) =>
      db
        .insertInto("build_images")
        .values(row)
        .onConflict((conflict) => conflict.column("name").doUpdateSet(row))
        .execute(),
    forgetResults: (before: Date) => db.deleteFrom("build_results").where("at", "<", before).execute(),
    forgetImages: (before: Date) => db.deleteFrom("build_images").where("seen_at", "<", before).execute(),
  };
}
