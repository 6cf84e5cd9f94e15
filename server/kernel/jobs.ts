/**
 * Background jobs. A job is an intent: the same key replaces a waiting one, a failed one is tried again with backoff, and one
 * whose process died is taken up at the next start, so tasks must be idempotent. Why not a library: see ADR 9.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import type { Database, Tx } from "./database.ts";
import type { Log } from "./log.ts";
import type { Wake } from "./wake.ts";

/** A task gets its payload and a signal that fires when the server stops: long waits end on it and are run again later. */
export type Task = (payload: unknown, signal: AbortSignal) => Promise<void>;

export interface JobOptions {
  /** One waiting job at most under this key; adding again replaces its time and payload, and follows one that is at work. */
  key?: string;
  runAt?: Date;
  /** One that waits under the key stays as it is, unless it has failed. */
  keep?: boolean;
}

export interface Jobs {
  /** Joins the caller's transaction: the job exists exactly when the caller's change does. */
  add(tx: Tx, task: string, payload: unknown, options?: JobOptions): Promise<void>;
}

const channel = "towline_tasks";

export const jobs: Jobs = {
  async add(tx, task, payload, { key, runAt, keep = false } = {}) {
    await sql`
      with added as (
        insert into jobs (task, payload, key, run_at)
        values (${task}, ${JSON.stringify(payload)}, ${key ?? null}, coalesce(${runAt ?? null}::timestamptz, now()))
        on conflict (key) do update set task = excluded.task, payload = excluded.payload, run_at = excluded.run_at,
          revision = jobs.revision + 1, failures = 0, last_error = null
          where not ${keep}::boolean or jobs.failures > 0
        returning id)
      select pg_notify(${channel}, '') from added`.execute(tx);
  },
};

interface Deps {
  db: Database;
  wake: Wake;
  log: Log;
  tasks: Record<string, Task>;
}

interface JobRow {
  id: number;
  task: string;
  payload: unknown;
  revision: number;
  failures: number;
  /** Milliseconds until it is due. */
  wait: number;
}

const mostAtWork = 16;
/** Should a wake have got lost with a database connection. */
const lookAgainMs = 5_000;
const outageMs = 250;
const longestBackoffSeconds = 5;

/**
 * Runs jobs until disposed, which lets the jobs at work end. The caller makes sure that it is the only runner: what is at work is
 * known to this process alone, so that neither a crash nor an outage of the database leaves a lock behind.
 */
export function startJobs({ db, wake, log, tasks }: Deps): AsyncDisposable {
  const stopping = new AbortController();
  const context = { db, log, tasks, stopping: stopping.signal };
  const atWork = new Map<number, Promise<void>>();
  let bell = Promise.withResolvers<void>();
  const ring = () => {
    bell.resolve();
    bell = Promise.withResolvers<void>();
  };
  const off = wake.on(channel, ring);

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const rung = bell.promise;
      const waitMs = await beginDue().catch((error: unknown) => {
        log.warn({ err: error }, "jobs wait for the database");
        return outageMs;
      });
      await Promise.race([rung, pause(waitMs, stopping.signal)]);
    }
  }

  /** Begins what is due and answers the milliseconds until the next is. */
  async function beginDue(): Promise<number> {
    const room = mostAtWork - atWork.size;
    if (room === 0) return lookAgainMs;
    const next = await nextJobs(db, { tasks: Object.keys(tasks), except: [...atWork.keys()], limit: room + 1 });
    if (stopping.signal.aborted) return 0;
    for (const job of next.filter(({ wait }) => wait <= 0).slice(0, room)) atWork.set(job.id, run(job));
    return Math.min(lookAgainMs, next.find(({ wait }) => wait > 0)?.wait ?? lookAgainMs);
  }

  async function run(job: JobRow): Promise<void> {
    await runJob(context, job);
    atWork.delete(job.id);
    ring();
  }

  const looping = loop();
  return {
    async [Symbol.asyncDispose]() {
      off();
      stopping.abort();
      await looping;
      await Promise.all(atWork.values());
    },
  };
}

interface RunContext extends Pick<Deps, "db" | "log" | "tasks"> {
  stopping: AbortSignal;
}

/** Until its end is written the job counts as at work: an outage of the database does not make it run twice. */
async function runJob(context: RunContext, job: JobRow): Promise<void> {
  const failure = await attempt(context, job);
  await untilWritten(context, () =>
    failure === undefined ? remove(context.db, job) : postpone(context.db, job, failure),
  );
}

/** Undefined when it succeeded, else the reason. */
async function attempt({ tasks, log, stopping }: RunContext, job: JobRow): Promise<string | undefined> {
  const { task, payload, failures } = job;
  try {
    await tasks[task]?.(payload, stopping);
    return undefined;
  } catch (error) {
    log.warn({ err: error, task, failures: failures + 1 }, "a job failed and is tried again");
    return String(error);
  }
}

/** While the server stops there is one try: the next start runs the job again. */
async function untilWritten({ log, stopping }: RunContext, write: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      log.warn({ err: error }, "the end of a job waits for the database");
      if (stopping.aborted) return;
      await pause(outageMs, stopping);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

/** The oldest due jobs first, after them those that are due next. */
async function nextJobs(
  db: Database,
  { tasks, except, limit }: { tasks: string[]; except: number[]; limit: number },
): Promise<JobRow[]> {
  const { rows } = await sql<JobRow>`
    select id, task, payload, revision, failures, least(greatest(ceil(extract(epoch from run_at - now()) * 1000), 0), 2147483647)::int as wait
    from jobs where task = any(${tasks}) and id <> all(${except}::bigint[]) order by run_at, id limit ${limit}`.execute(
    db,
  );
  return rows;
}

/** Unless it was added again meanwhile: then it is run again. */
async function remove(db: Database, { id, revision }: JobRow): Promise<void> {
  await sql`delete from jobs where id = ${id} and revision = ${revision}`.execute(db);
}

async function postpone(db: Database, { id, revision, failures }: JobRow, error: string): Promise<void> {
  const seconds = Math.min(longestBackoffSeconds, 0.25 * 2 ** Math.min(failures, 10));
  await sql`update jobs set failures = failures + 1, last_error = ${error.slice(0, 2_000)},
      run_at = now() + make_interval(secs => ${seconds})
    where id = ${id} and revision = ${revision}`.execute(db);
}
