import type { Clock } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Jobs } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import type { Sync } from "./sync.ts";

export const reconcileTask = "routing.reconcile";
const defaultMs = 10_000;

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  jobs: Jobs;
  reconcileMs?: number;
}

/** Brings the balancer to what the tables say, and asks to do so again; while host or balancer do not answer, it keeps asking. */
export async function runReconcile(deps: Deps, sync: Pick<Sync, "everything">): Promise<void> {
  await sync
    .everything()
    .catch((error: unknown) => deps.log.warn({ err: error }, "the balancer could not be brought up to date"));
  await queueReconcile(deps, deps.reconcileMs ?? defaultMs);
}

export async function queueReconcile({ db, clock, jobs }: Deps, inMs: number): Promise<void> {
  const runAt = new Date(clock.now().getTime() + inMs);
  await db.transaction().execute((tx) => jobs.add(tx, reconcileTask, {}, { key: reconcileTask, runAt }));
}

/** Looks again when the time of a mode is over. */
export async function queueExpiry(tx: Tx, jobs: Jobs, runAt: Date): Promise<void> {
  await jobs.add(tx, reconcileTask, {}, { key: `${reconcileTask}:${runAt.toISOString()}`, runAt });
}
