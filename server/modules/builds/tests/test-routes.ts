import type { Quarantine, testEndpoints, TestResult, TestStats } from "#api/endpoints/tests.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import { type Clock, newId } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import { type Context, type Handlers, userOf } from "#kernel/http.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { Source } from "#source";
import { buildsStore } from "../store.ts";
import type { QuarantineRow, ResultRow, StatsRow, TestRow } from "./rows.ts";
import { testStore } from "./store.ts";

interface Deps {
  db: Database;
  emit: Emit;
  clock: Clock;
  source: Pick<Source, "repository">;
}

const dayMs = 24 * 60 * 60 * 1000;
const longestQuarantineDays = 90;

type TestHandlers = Handlers<typeof testEndpoints>;

const unknownTest = () => refuse("not-found", "there is no such test");

export function testRoutes(deps: Deps): TestHandlers {
  return { ...readingRoutes(deps), ...quarantineRoutes(deps) };
}

function readingRoutes({ db, clock, source }: Deps): Pick<TestHandlers, "listBuildTests" | "listTests" | "showTest"> {
  const store = testStore(db);
  return {
    listBuildTests: async ({ params, query }) => {
      if (!(await buildsStore(db).build(params.id))) return refuse("not-found", "there is no such build");
      const [counts, reports, rows] = await Promise.all([
        store.counts(params.id),
        store.reports(params.id),
        store.results(params.id, query),
      ]);
      const viewed = reports.map(({ job, attempt, complete, faults }) => ({
        ...{ job, attempt, faults, whole: complete && faults.length === 0 },
      }));
      return { counts, reports: viewed, tests: rows.map(viewResult) };
    },

    listTests: async ({ params, query: { show, days, limit } }) => {
      if (!(await source.repository(params.name))) return refuse("not-found", `there is no repository ${params.name}`);
      const now = clock.now();
      const since = new Date(now.getTime() - days * dayMs);
      return { tests: (await store.stats(params.name, { show, since, now, limit })).map(viewStats) };
    },

    showTest: async ({ params, query }) => {
      const test = await store.test(params.id);
      if (!test) return unknownTest();
      const quarantine = await store.quarantine(test.id, clock.now());
      const history = await store.history(test.id, query.limit);
      return {
        ...{ ...test, quarantine: quarantine ? viewQuarantine(quarantine) : null },
        history: history.map((row) => ({ ...row, at: row.at.toISOString() })),
      };
    },
  };
}

function quarantineRoutes({ db, emit, clock }: Deps): Pick<TestHandlers, "quarantineTest" | "releaseTest"> {
  /** Changes the quarantine of a test and tells of it. */
  async function change<T extends object>(
    id: number,
    work: (tx: Tx, test: TestRow) => Promise<T | Refusal>,
  ): Promise<T | Refusal> {
    return db.transaction().execute(async (tx) => {
      const test = await testStore(tx).test(id);
      return test ? work(tx, test) : unknownTest();
    });
  }

  async function tell(tx: Tx, test: TestRow, until: Date | null, context: Context): Promise<void> {
    const { repository, id, scope, name } = test;
    const payload = { repository, test: id, scope, name, until: until?.toISOString() ?? null };
    await emit(tx, `repository:${repository}`, "builds.test-quarantine-changed", {
      ...payload,
      actor: userOf(context).name,
    });
  }

  return {
    quarantineTest: ({ params, body }, context) =>
      change(params.id, async (tx, test) => {
        const now = clock.now();
        const until = new Date(body.until);
        const days = (until.getTime() - now.getTime()) / dayMs;
        if (days <= 0 || days > longestQuarantineDays) return badExpiry();
        const row: QuarantineRow = {
          ...{ id: newId(), test: test.id, owner: body.owner, reason: body.reason, expires_at: until },
          ...{ created_by: userOf(context).name, created_at: now, released_at: null },
        };
        await testStore(tx).releaseTest(test.id, now);
        await testStore(tx).insertQuarantine(row);
        await tell(tx, test, until, context);
        return viewQuarantine(row);
      }),

    releaseTest: ({ params }, context) =>
      change(params.id, async (tx, test) => {
        if (!(await testStore(tx).releaseTest(test.id, clock.now())))
          return refuse("not-found", "the test is not in quarantine");
        await tell(tx, test, null, context);
        return {};
      }),
  };
}

const badExpiry = (): Refusal =>
  refuse("tests.bad-expiry", `a quarantine ends within ${longestQuarantineDays} days from now`, {
    fix: "Give a date in the future, and prolong it when it is near.",
  });

function viewResult(row: ResultRow): TestResult {
  const { id, scope, name, step, job, attempt, outcome, flaky, quarantined, retries, ms, file, line, message, detail } =
    row;
  return { id, scope, name, step, job, attempt, outcome, flaky, quarantined, retries, ms, file, line, message, detail };
}

function viewStats({ flaky_commits, average_ms, last_run, last_failed, quarantine, ...row }: StatsRow): TestStats {
  return {
    ...row,
    ...{ flakyCommits: flaky_commits, averageMs: average_ms },
    lastRun: last_run.toISOString(),
    lastFailed: last_failed?.toISOString() ?? null,
    quarantine: quarantine && viewQuarantine(quarantine),
  };
}

function viewQuarantine(row: NonNullable<StatsRow["quarantine"]> | QuarantineRow): Quarantine {
  const { owner, reason, created_by: by, expires_at, created_at } = row;
  return { owner, reason, by, until: new Date(expires_at).toISOString(), since: new Date(created_at).toISOString() };
}
