import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { JobAttempt } from "../core/attempts.ts";

export interface ArtifactRow {
  id: string;
  build: string;
  job: string;
  attempt: number;
  path: string;
  size: number;
  sha1: string;
  digest: string;
  content_type: string;
  complete: boolean;
  created_at: Date;
}

type Tables = { build_artifacts: ArtifactRow; build_jobs: { id: string; step: string }; builds: BuildTimes };
interface BuildTimes {
  id: string;
  finished_at: Date | null;
}

export type FoundArtifact = ArtifactRow & { step: string };

export function artifactStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    insert: (row: ArtifactRow) => db.insertInto("build_artifacts").values(row).execute(),
    artifact: (id: string): Promise<ArtifactRow | undefined> =>
      db.selectFrom("build_artifacts").selectAll().where("id", "=", id).executeTakeFirst(),
    /** What the attempt announced before and has not yet sent in full. */
    announced: ({ job, attempt, path, digest, size }: ArtifactRow): Promise<ArtifactRow | undefined> =>
      db
        .selectFrom("build_artifacts")
        .selectAll()
        .where((row) => row.and({ job, attempt, path, digest, size, complete: false }))
        .executeTakeFirst(),
    countOfJob: async (job: string) => {
      const count = db.selectFrom("build_artifacts").select(sql<number>`count(*)`.as("count"));
      return (await count.where("job", "=", job).executeTakeFirstOrThrow()).count;
    },
    /** It is there, in place of what the attempt kept under the path before. */
    async complete({ id, job, attempt, path }: ArtifactRow): Promise<void> {
      const before = db.deleteFrom("build_artifacts").where((row) => row.and({ job, attempt, path, complete: true }));
      await before.where("id", "<>", id).execute();
      await db.updateTable("build_artifacts").set({ complete: true }).where("id", "=", id).execute();
    },
    /** The same files for another attempt; their contents are shared. */
    copy: ({ job, attempt }: JobAttempt, to: JobAttempt & { build: string; at: Date }) =>
      sql`insert into build_artifacts
          (id, build, job, attempt, path, size, sha1, digest, content_type, complete, created_at)
        select gen_random_uuid(), ${to.build}::uuid, ${to.job}::uuid, ${to.attempt}::int, path, size, sha1, digest,
          content_type, true, ${to.at}::timestamptz
        from build_artifacts where job = ${job} and attempt = ${attempt} and complete`.execute(db),
    remove: (id: string) => db.deleteFrom("build_artifacts").where("id", "=", id).execute(),
    /** In the order of paths; of each path of a job the newest attempt's first. */
    ofBuild: (build: string, step: string | undefined): Promise<FoundArtifact[]> =>
      db
        .selectFrom("build_artifacts")
        .innerJoin("build_jobs", "build_jobs.id", "build_artifacts.job")
        .selectAll("build_artifacts")
        .select("build_jobs.step")
        .where("build_artifacts.build", "=", build)
        .where("complete", "=", true)
        .$if(step !== undefined, (query) =>
          query.where((row) =>
            row.or([row("build_jobs.step", "=", step ?? ""), row(sql<string>`build_jobs.id::text`, "=", step ?? "")]),
          ),
        )
        .orderBy("path")
        .orderBy("attempt", "desc")
        .orderBy("build_artifacts.created_at", "desc")
        .execute(),
    /** Digests that some artifact still has, of those given. */
    needed: async (digests: string[]): Promise<Set<string>> => {
      const rows = db.selectFrom("build_artifacts").select("digest").distinct().where("digest", "in", digests);
      return new Set((await rows.execute()).map(({ digest }) => digest));
    },
    known: async (ids: string[]): Promise<Set<string>> => {
      const rows = db.selectFrom("build_artifacts").select("id").where("id", "in", ids);
      return new Set((await rows.execute()).map(({ id }) => id));
    },
    /** Removes those of builds that ended before, and what was announced before and never came; answers how many. */
    async forget(endedBefore: Date, announcedBefore: Date): Promise<number> {
      const old = db.selectFrom("builds").select("id").where("finished_at", "<", endedBefore);
      const removed = await db
        .deleteFrom("build_artifacts")
        .where((row) =>
          row.or([
            row("build", "in", old),
            row.and([row("complete", "=", false), row("created_at", "<", announcedBefore)]),
          ]),
        )
        .executeTakeFirst();
      return Number(removed.numDeletedRows);
    },
  };
}
