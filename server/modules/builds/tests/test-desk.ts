/** What agents report of tests, and what follows from it for the job. */
import type { TestReport } from "#api/endpoints/tests.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import { type Database, notify } from "#kernel/database.ts";
import type { JobResult } from "#api/endpoints/agent.ts";
import { changeOfBuild } from "../channels.ts";
import type { JobRow } from "../core/rows.ts";
import { testStore } from "./store.ts";

interface Deps {
  db: Database;
  clock: Clock;
  /** Days that results are kept; default 180. */
  testDays?: number;
}

export interface TestDesk {
  /** Takes a part of a report; one that was taken before changes nothing. */
  take(job: JobRow, report: TestReport): Promise<Record<string, never> | Refusal>;
  /** Why a failure of this job counts as a soft one: all tests that failed are in quarantine. */
  excuse(job: JobRow, result: JobResult): Promise<string | undefined>;
  removeOld(): Promise<void>;
}

/** Results of one attempt, and tests of one repository. */
const most = { results: 50_000, tests: 250_000 };
const dayMs = 24 * 60 * 60 * 1000;
const batch = 200;

export function createTestDesk({ db, clock, testDays = 180 }: Deps): TestDesk {
  async function take({ id: job, attempt, build }: JobRow, { tests, last, faults, part }: TestReport) {
    const at = clock.now();
    return db.transaction().execute(async (tx) => {
      const store = testStore(tx);
      const repository = (await store.repositoryOf(build)) ?? "";
      if ((await store.resultsOf({ job, attempt })) > most.results)
        return tooMany(`a job reports at most ${most.results} tests`);
      if (part === 0 && (await store.testsOf(repository)) > most.tests)
        return tooMany(
          `a repository has at most ${most.tests} tests that ran lately; their names may change with each run`,
        );
      await store.beginReport({ job, attempt, build, at });
      if (tests.length > 0) await store.insertResults({ repository, job, attempt, at }, tests);
      if (last) await store.endReport({ job, attempt }, faults);
      await notify(tx, changeOfBuild(build));
      return {};
    });
  }

  async function excuse({ id: job, attempt }: JobRow, { outcome, exitStatus, reason }: JobResult) {
    // A reason tells of more than failed tests: no memory left, say.
    if (outcome !== "failed" || exitStatus === undefined || reason !== undefined) return undefined;
    const found = await testStore(db).failuresOf({ job, attempt });
    if (!found || found.failed === 0 || found.quarantined < found.failed) return undefined;
    return found.failed === 1
      ? "the test that failed is in quarantine"
      : `all ${found.failed} tests that failed are in quarantine`;
  }

  async function removeOld(): Promise<void> {
    const store = testStore(db);
    const before = new Date(clock.now().getTime() - testDays * dayMs);
    let gone = 0;
    for (let more = batch; more === batch; gone += more) more = await store.deleteReports(before, batch);
    if (gone > 0) await store.deleteForgottenTests();
  }

  return { take, excuse, removeOld };
}

const tooMany = (message: string): Refusal => refuse("limit.reached", message);
