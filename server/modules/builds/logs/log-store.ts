/** SQL of logs: which there are, whether more may come, and which were removed. */
import { type ExpressionBuilder, type Generated, type Kysely, sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { JobAttempt } from "../core/attempts.ts";
import type { LogRow } from "../core/rows.ts";

type Tables = {
  build_logs: { [K in keyof LogRow]: K extends "job" | "attempt" ? LogRow[K] : Generated<LogRow[K]> };
};
type Db = Kysely<Tables>;

const oneLog = (job: string, attempt: number) => (where: ExpressionBuilder<Tables, "build_logs">) =>
  where.and([where("job", "=", job), where("attempt", "=", attempt)]);

export function logStore(database: Database) {
  const db: Db = database.withTables<Tables>();
  // Those that stand for another have no file of their own.
  const own = db.selectFrom("build_logs").where("of_job", "is", null);
  const kept = own.where("complete", "=", true).where("removed_at", "is", null);
  return {
    insertLogs: (attempts: JobAttempt[]) => db.insertInto("build_logs").values(attempts).execute(),
    /** The log of another attempt for this one, which did not run. */
    insertReference: (of: JobAttempt, { job, attempt, at }: JobAttempt & { at: Date }) =>
      db
        .insertInto("build_logs")
        .values({ job, attempt, complete: true, completed_at: at, of_job: of.job, of_attempt: of.attempt })
        .execute(),
    log: (job: string, attempt: number): Promise<LogRow | undefined> =>
      db.selectFrom("build_logs").selectAll().where(oneLog(job, attempt)).executeTakeFirst(),
    completeLogs: (attempts: JobAttempt[], at: Date) =>
      db
        .updateTable("build_logs")
        .set({ complete: true, completed_at: at })
        .where((where) => where.or(attempts.map(({ job, attempt }) => oneLog(job, attempt)(where))))
        .where("complete", "=", false)
        .execute(),
    /** Complete logs of which nobody noted the size. */
    unmeasuredLogs: (limit: number): Promise<LogRow[]> =>
      kept.where("bytes", "is", null).selectAll().limit(limit).execute(),
    measureLog: (job: string, attempt: number, bytes: number) =>
      db.updateTable("build_logs").set({ bytes }).where(oneLog(job, attempt)).execute(),
    /** Oldest first. */
    logsBefore: (at: Date, limit: number): Promise<LogRow[]> =>
      kept.where("completed_at", "<", at).selectAll().orderBy("completed_at").limit(limit).execute(),
    oldestLogs: (limit: number): Promise<LogRow[]> => kept.selectAll().orderBy("completed_at").limit(limit).execute(),
    async keptBytes(): Promise<number> {
      const { rows } = await sql<{ bytes: number }>`
        select coalesce(sum(bytes), 0)::bigint bytes from build_logs where complete and removed_at is null`.execute(db);
      return rows[0]?.bytes ?? 0;
    },
    /** The attempts that used its result lose it too; theirs after its own, so that none of them is missed. */
    async markLogRemoved(job: string, attempt: number, at: Date): Promise<void> {
      const removed = db.updateTable("build_logs").set({ removed_at: at });
      await removed.where(oneLog(job, attempt)).execute();
      await removed.where("of_job", "=", job).where("of_attempt", "=", attempt).execute();
    },
  };
}
