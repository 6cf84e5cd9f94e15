import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#kernel/database.ts";
import type { LogKey } from "./logs/log-file.ts";

export interface OldBuildsQuery {
  /** Those that ended before. */
  before: Date;
  /** So many of each repository stay whatever their age. */
  keep: number;
  limit: number;
}

/** What belongs to builds, each part before those that it stands on. */
const parts = [
  "build_annotations",
  "build_artifacts",
  "build_deploy_requests",
  "build_events",
  "build_meta_data",
  "build_notifications",
  "build_results",
  "build_slots",
  "build_test_reports",
] as const;

export function oldBuildsStore(db: Database | Tx) {
  const any = (ids: readonly string[]): RawBuilder<string> => sql`any(${[...ids]}::uuid[])`;
  return {
    /** Oldest first. */
    async find({ before, keep, limit }: OldBuildsQuery): Promise<string[]> {
      const { rows } = await sql<{ id: string }>`
        select id from builds b where state = 'finished' and finished_at < ${before} and exists (
          select 1 from builds newer where newer.repository = b.repository and newer.number > b.number
          order by newer.number desc offset ${keep - 1} limit 1)
        order by finished_at limit ${limit}`.execute(db);
      return rows.map(({ id }) => id);
    },
    async logs(builds: readonly string[]): Promise<LogKey[]> {
      const { rows } = await sql<LogKey>`
        select l.job, l.attempt from build_logs l join build_jobs j on j.id = l.job where j.build = ${any(builds)}`.execute(
        db,
      );
      return rows;
    },
    async delete(builds: readonly string[]): Promise<void> {
      for (const part of parts) await sql`delete from ${sql.table(part)} where build = ${any(builds)}`.execute(db);
      await sql`delete from build_logs where job in (select id from build_jobs where build = ${any(builds)})`.execute(
        db,
      );
      await sql`delete from build_jobs where build = ${any(builds)}`.execute(db);
      await sql`delete from builds where id = ${any(builds)}`.execute(db);
    },
  };
}
