/**
 * Background jobs on graphile-worker. A job is an intent: the same key replaces a waiting one, a failed one is tried again
 * with backoff, and one whose process died is taken up at the next start, so tasks must be idempotent.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { Logger, run, type Runner, type TaskList } from "graphile-worker";
import type pg from "pg";
import type { Database, Tx } from "./database.ts";
import type { Log } from "./log.ts";

/** A task gets its payload and a signal that fires when the server stops: long waits end on it and are run again later. */
export type Task = (payload: unknown, signal: AbortSignal) => Promise<void>;

export interface JobOptions {
  /** One waiting job at most under this key; adding again replaces its time and payload. */
  key?: string;
  runAt?: Date;
}

export interface Jobs {
  /** Joins the caller's transaction: the job exists exactly when the caller's change does. */
  add(tx: Tx, task: string, payload: unknown, options?: JobOptions): Promise<void>;
}

export const jobs: Jobs = {
  async add(tx, task, payload, { key, runAt } = {}) {
    await sql`select graphile_worker.add_job(${task}, ${JSON.stringify(payload)}::json,
      run_at => ${runAt ?? null}::timestamptz, job_key => ${key ?? null}, max_attempts => 1000)`.execute(tx);
  },
};

interface Deps {
  db: Database;
  pool: pg.Pool;
  log: Log;
  tasks: Record<string, Task>;
}

/**
 * Runs jobs until disposed; `dispose` lets the jobs at work finish. The caller makes sure that it is the only runner. A runner that
 * gave up, because the database was away for longer than it tries, is followed by another.
 */
export async function startJobs({ db, pool, log, tasks }: Deps): Promise<AsyncDisposable> {
  const stopping = new AbortController();
  const atWork = new Set<string>();
  const taskList: TaskList = Object.fromEntries(
    Object.entries(tasks).map(([name, task]) => [
      name,
      async (payload, { job: { id } }) => {
        atWork.add(id);
        await task(payload, stopping.signal).finally(() => atWork.delete(id));
      },
    ]),
  );
  const start = async () => {
    await releaseLeftLocks(db);
    return run({
      pgPool: pool,
      taskList,
      preset: { worker: runnerSettings },
      noHandleSignals: true,
      crontab: "",
      logger: loggerOf(log),
    });
  };
  let runner: Runner | undefined = await start();
  const keepRunning = async () => {
    while (!stopping.signal.aborted) {
      await runner?.promise.catch((error: unknown) => log.error({ err: error }, "the job runner gave up"));
      if (stopping.signal.aborted) return;
      await sleep(restartMs, undefined, { signal: stopping.signal }).catch(() => {});
      runner = await start().catch(() => undefined);
    }
  };
  const kept = keepRunning();
  const hurry = setInterval(() => {
    void shortenBackoff(db).catch(() => {});
    void releaseLostLocks(db, [...atWork]).catch(() => {});
  }, hurryMs);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      clearInterval(hurry);
      const stopped = Promise.all([runner?.stop(), kept]).catch((error: unknown) =>
        log.warn({ err: error }, "the job runner did not stop cleanly"),
      );
      // After an outage of the database the runner may wait for a connection that is gone.
      await Promise.race([stopped, sleep(stopDeadlineMs, undefined, { ref: false })]);
    },
  };
}

const restartMs = 500;
const hurryMs = 2_000;
const stopDeadlineMs = 15_000;

/** With batches (of no delay) the results of jobs are tried again while the database is away; without, one lost connection would end the process. */
const runnerSettings = { concurrentJobs: 16, pollInterval: 1_000, completeJobBatchDelay: 0, failJobBatchDelay: 0 };

function loggerOf(log: Log): Logger {
  return new Logger(
    () => (level, message, meta) => (level === "error" || level === "warning") && log.warn({ meta }, message),
  );
}

/** A killed process leaves its jobs locked for four hours; whoever runs now is the only one, so no lock is in use. */
async function releaseLeftLocks(db: Database): Promise<void> {
  await sql`select graphile_worker.force_unlock_workers(array_agg(distinct locked_by))
    from graphile_worker.jobs where locked_by is not null`.execute(db);
}

/** The runner's own backoff grows by e each time, to hours: a job that an outage failed a few times would outwait everybody. */
async function shortenBackoff(db: Database): Promise<void> {
  await sql`select graphile_worker.reschedule_jobs(array_agg(id), run_at => now() + interval '2 seconds')
    from graphile_worker.jobs
    where attempts > 0 and locked_at is null and last_error is not null and run_at > now() + interval '5 seconds'
    having count(*) > 0`.execute(db);
}

/**
 * A connection that dies between the lock of a job and the answer leaves it locked by a runner that knows nothing of it; so does
 * one that dies before the end of a job was written. Nobody would run it for four hours. The runner's public functions free all
 * that one of its workers holds, the job at work too, so this writes to its table.
 */
async function releaseLostLocks(db: Database, atWork: string[]): Promise<void> {
  await sql`update graphile_worker._private_jobs set locked_at = null, locked_by = null
    where locked_at < now() - interval '5 seconds' and id <> all(${atWork}::bigint[])`.execute(db);
}
