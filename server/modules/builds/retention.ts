import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import type { Artifacts } from "./records/artifacts.ts";

interface Deps {
  db: Database;
  jobs: Jobs;
  clock: Clock;
  artifacts: Artifacts;
  artifactDays?: number;
}

const sweepTask = "builds.sweep-artifacts";
const sweepEveryMs = 60 * 60 * 1000;
/** A start has better to do. */
const firstSweepMs = 60_000;
const dayMs = 24 * 60 * 60 * 1000;

/** How long artifacts stay: an hourly look at those whose build ended long ago. */
export function createRetention({ db, jobs, clock, artifacts, artifactDays = 90 }: Deps) {
  /** By the true time, by which tasks are run. */
  const sweepIn = (ms: number) =>
    db.transaction().execute((tx) => {
      const runAt = new Date(Date.now() + ms);
      return jobs.add(tx, sweepTask, {}, { key: sweepTask, runAt });
    });
  const sweep: Task = async (_, signal) => {
    await artifacts.sweep(new Date(clock.now().getTime() - artifactDays * dayMs), signal);
    await sweepIn(sweepEveryMs);
  };
  return { tasks: { [sweepTask]: sweep }, start: () => sweepIn(firstSweepMs) };
}
