/** SQL of tests: their names, the reports of attempts, results, quarantines. */
import { createHash } from "node:crypto";
import { type Generated, type Kysely, sql } from "kysely";
import type { ReportedTest, TestCounts } from "#api/endpoints/tests.ts";
import type { Database } from "#kernel/database.ts";
import type { JobAttempt } from "../core/attempts.ts";
import type { HistoryRow, QuarantineRow, ReportRow, ResultRow, StatsRow, TestRow } from "./rows.ts";

type Tables = {
  build_tests: { id: Generated<number>; repository: string; scope: string; name: string; digest: string };
  build_test_reports: Omit<ReportRow, "complete" | "faults"> & {
    complete: Generated<boolean>;
    faults: Generated<string[]>;
  };
  build_test_quarantines: QuarantineRow;
};
type Db = Kysely<Tables>;

export function testStore(database: Database) {
  const db: Db = database.withTables<Tables>();
  return { ...reports(db), ...reading(db), ...quarantines(db) };
}

const digestOf = (scope: string, name: string): string =>
  createHash("sha256").update(`${scope}\0${name}`).digest("hex");

const isFailed = sql<boolean>`r.outcome in ('failed', 'error')`;

function reports(db: Db) {
  return {
    repositoryOf: async (build: string): Promise<string | undefined> => {
      const { rows } = await sql<{ repository: string }>`select repository from builds where id = ${build}`.execute(db);
      return rows[0]?.repository;
    },
    beginReport: (report: Pick<ReportRow, "job" | "attempt" | "build" | "at">) =>
      db
        .insertInto("build_test_reports")
        .values(report)
        .onConflict((conflict) => conflict.columns(["job", "attempt"]).doNothing())
        .execute(),
    /** The report of another attempt for this one, which did not run; its results are not there twice. */
    insertReference: (of: JobAttempt, to: JobAttempt & { build: string; at: Date }) =>
      sql`insert into build_test_reports (job, attempt, build, complete, faults, at, of_job, of_attempt)
        select ${to.job}::uuid, ${to.attempt}::int, ${to.build}::uuid, complete, faults, ${to.at}::timestamptz, job, attempt
        from build_test_reports where job = ${of.job} and attempt = ${of.attempt}`.execute(db),
    endReport: ({ job, attempt }: JobAttempt, faults: readonly string[]) =>
      db
        .updateTable("build_test_reports")
        .set({ complete: true, faults: sql`${JSON.stringify(faults)}::jsonb` })
        .where("job", "=", job)
        .where("attempt", "=", attempt)
        .execute(),
    insertResults: (to: Reporting, tests: readonly ReportedTest[]) => insertResults(db, to, tests),
    resultsOf: async ({ job, attempt }: JobAttempt): Promise<number> =>
      numberOf(sql`select count(*) n from build_test_results where job = ${job} and attempt = ${attempt}`, db),
    testsOf: async (repository: string): Promise<number> =>
      numberOf(sql`select count(*) n from build_tests where repository = ${repository}`, db),
    /** Failed tests of a report, and how many of them were in quarantine; undefined unless the report is whole and sound. */
    failuresOf: (attempt: JobAttempt) => failuresOf(db, attempt),
    /** Answers how many reports went. */
    async deleteReports(before: Date, limit: number): Promise<number> {
      const gone = await sql`delete from build_test_reports where (job, attempt) in
        (select job, attempt from build_test_reports where at < ${before} order by at limit ${limit})`.execute(db);
      return Number(gone.numAffectedRows ?? 0);
    },
    deleteForgottenTests: () =>
      sql`
      delete from build_tests t where not exists (select 1 from build_test_results where test = t.id)
        and not exists (select 1 from build_test_quarantines where test = t.id)`.execute(db),
  };
}

interface Reporting extends JobAttempt {
  repository: string;
  at: Date;
}

/** First their names, in one order for everybody, then their results; what is there already stays. */
async function insertResults(db: Db, { repository, job, attempt, at }: Reporting, tests: readonly ReportedTest[]) {
  const rows = tests.map((test) => ({ ...test, digest: digestOf(test.scope, test.name) }));
  const given = sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as g(digest text, scope text, name text,
    outcome text, flaky boolean, retries int, ms int, file text, line int, message text, detail text)`;
  await sql`insert into build_tests (repository, scope, name, digest)
    select distinct on (digest) ${repository}::text, scope, name, digest from ${given} order by digest
    on conflict (repository, digest) do nothing`.execute(db);
  await sql`insert into build_test_results
      (job, attempt, test, outcome, flaky, quarantined, retries, ms, file, line, message, detail, at)
    select ${job}::uuid, ${attempt}::int, t.id, g.outcome, g.flaky, q.id is not null, g.retries, g.ms, g.file, g.line,
      g.message, g.detail, ${at}::timestamptz
    from ${given} join build_tests t on t.repository = ${repository} and t.digest = g.digest
    left join build_test_quarantines q on q.test = t.id and q.released_at is null and q.expires_at > ${at}
    on conflict (job, attempt, test) do nothing`.execute(db);
}

async function failuresOf(db: Db, { job, attempt }: JobAttempt) {
  const { rows } = await sql<{ failed: number; quarantined: number }>`
    select count(r.test) filter (where ${isFailed}) failed,
      count(r.test) filter (where ${isFailed} and r.quarantined) quarantined
    from build_test_reports p left join build_test_results r on r.job = p.job and r.attempt = p.attempt
    where p.job = ${job} and p.attempt = ${attempt} and p.complete and p.faults = '[]'
    group by p.job`.execute(db);
  return rows[0];
}

async function numberOf(query: ReturnType<typeof sql>, db: Db): Promise<number> {
  const { rows } = (await query.execute(db)) as { rows: { n: number }[] };
  return rows[0]?.n ?? 0;
}

/** The newest report of each job of a build, and the attempt that made it. */
const newest = (build: string) => sql`
  newest as (select distinct on (job) *, coalesce(of_job, job) maker, coalesce(of_attempt, attempt) made
    from build_test_reports where build = ${build} order by job, attempt desc)`;

function reading(db: Db) {
  return {
    reports: async (build: string): Promise<ReportRow[]> =>
      (await sql<ReportRow>`with ${newest(build)} select * from newest order by at`.execute(db)).rows,
    counts: (build: string) => counts(db, build),
    results: (build: string, filter: ResultFilter) => results(db, build, filter),
    test: async (id: number): Promise<TestRow | undefined> =>
      db
        .selectFrom("build_tests")
        .select(["id", "repository", "scope", "name"])
        .where("id", "=", id)
        .executeTakeFirst(),
    history: (test: number, limit: number) => history(db, test, limit),
    stats: (repository: string, filter: StatsFilter) => stats(db, repository, filter),
  };
}

async function counts(db: Db, build: string): Promise<TestCounts> {
  const { rows } = await sql<TestCounts>`with ${newest(build)}
    select count(*) filter (where r.outcome = 'passed') passed,
      count(*) filter (where ${isFailed} and not r.quarantined) failed,
      count(*) filter (where ${isFailed} and r.quarantined) quarantined,
      count(*) filter (where r.outcome = 'skipped') skipped,
      count(*) filter (where r.outcome = 'passed' and r.flaky) flaky
    from newest n join build_test_results r on r.job = n.maker and r.attempt = n.made`.execute(db);
  return rows[0] ?? { passed: 0, failed: 0, quarantined: 0, skipped: 0, flaky: 0 };
}

export interface ResultFilter {
  outcome?: "passed" | "failed" | "skipped" | "flaky" | undefined;
  limit: number;
  offset: number;
}

const resultFilters = {
  all: sql`true`,
  failed: isFailed,
  flaky: sql`r.flaky`,
  passed: sql`r.outcome = 'passed'`,
  skipped: sql`r.outcome = 'skipped'`,
};

async function results(db: Db, build: string, { outcome = "all" as never, limit, offset }: ResultFilter) {
  const { rows } = await sql<ResultRow>`with ${newest(build)}
    select t.id, t.scope, t.name, j.step, r.*, n.job, n.attempt from newest n
      join build_test_results r on r.job = n.maker and r.attempt = n.made
      join build_tests t on t.id = r.test join build_jobs j on j.id = n.job
    where ${resultFilters[outcome]}
    order by case when ${isFailed} and not r.quarantined then 0 when ${isFailed} then 1 when r.flaky then 2 else 3 end,
      r.ms desc nulls last, t.scope, t.name limit ${limit} offset ${offset}`.execute(db);
  return rows;
}

async function history(db: Db, test: number, limit: number): Promise<HistoryRow[]> {
  const { rows } = await sql<HistoryRow>`
    select b.id build, b.number, b.branch, b.commit, j.step, r.attempt, r.at, r.outcome, r.flaky, r.quarantined, r.ms, r.message
    from build_test_results r join build_jobs j on j.id = r.job join builds b on b.id = j.build
    where r.test = ${test} order by r.at desc, b.sequence desc limit ${limit}`.execute(db);
  return rows;
}

export interface StatsFilter {
  show: "all" | "failed" | "flaky" | "slow" | "quarantined";
  since: Date;
  now: Date;
  limit: number;
}

const shown = {
  all: { where: sql`true`, order: sql`t.scope, t.name` },
  failed: { where: sql`s.failures > 0`, order: sql`s.failures desc, t.id` },
  flaky: { where: sql`f.commits > 0`, order: sql`f.commits desc, s.failures desc, t.id` },
  slow: { where: sql`s.average_ms is not null`, order: sql`s.average_ms desc, t.id` },
  quarantined: { where: sql`q.id is not null`, order: sql`q.expires_at, t.id` },
};

/** A step that runs twice on one commit and differs is flaky; two steps of which one fails are not. */
async function stats(db: Db, repository: string, { show, since, now, limit }: StatsFilter): Promise<StatsRow[]> {
  const { where, order } = shown[show];
  const { rows } = await sql<StatsRow>`
    with runs as (
      select r.test, r.outcome, r.flaky, r.ms, r.at, j.step, b.commit
      from build_tests t join build_test_results r on r.test = t.id
        join build_jobs j on j.id = r.job join builds b on b.id = j.build
      where t.repository = ${repository} and r.at > ${since} and r.outcome <> 'skipped'
    ), s as (
      select test, count(*) runs, count(*) filter (where ${isFailed}) failures, avg(ms)::int average_ms, max(at) last_run,
        max(at) filter (where ${isFailed}) last_failed from runs r group by test
    ), f as (
      select test, count(distinct commit) commits from (
        select test, commit from runs r group by test, step, commit
        having bool_or(flaky) or (bool_or(${isFailed}) and bool_or(outcome = 'passed'))) mixed group by test
    )
    select t.id, t.scope, t.name, s.runs, s.failures, coalesce(f.commits, 0) flaky_commits, s.average_ms, s.last_run,
      s.last_failed, to_jsonb(q) quarantine
    from build_tests t join s on s.test = t.id left join f on f.test = t.id
      left join build_test_quarantines q on q.test = t.id and q.released_at is null and q.expires_at > ${now}
    where t.repository = ${repository} and ${where} order by ${order} limit ${limit}`.execute(db);
  return rows;
}

function quarantines(db: Db) {
  const open = db.selectFrom("build_test_quarantines").where("released_at", "is", null);
  return {
    quarantine: (test: number, now: Date): Promise<QuarantineRow | undefined> =>
      open.selectAll().where("test", "=", test).where("expires_at", ">", now).executeTakeFirst(),
    insertQuarantine: (row: QuarantineRow) => db.insertInto("build_test_quarantines").values(row).execute(),
    async releaseTest(test: number, at: Date): Promise<boolean> {
      const released = db.updateTable("build_test_quarantines").set({ released_at: at }).where("test", "=", test);
      return (await released.where("released_at", "is", null).executeTakeFirst()).numUpdatedRows > 0n;
    },
  };
}
