/** Old logs go: those that are older than the rule, then the oldest until all together fit into their room. */
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { LogRow } from "../core/rows.ts";
import { logStore } from "./log-store.ts";
import { logPaths, removeLog, sizeOf } from "./log-file.ts";

export interface LogRules {
  /** Days after the end of its attempt that a log stays. */
  days: number;
  /** Bytes of all complete logs together. */
  room: number;
}

interface Deps {
  db: Database;
  clock: Clock;
  home: string;
  rules: LogRules;
}

const dayMs = 24 * 60 * 60 * 1000;
const batch = 200;

/** One look at all complete logs. Those of jobs at work are never touched. */
export async function removeOldLogs({ db, clock, home, rules }: Deps): Promise<void> {
  const store = logStore(db);
  const now = clock.now();

  async function remove(logs: readonly LogRow[]): Promise<void> {
    for (const { job, attempt } of logs) {
      // The row first: who reads it then hears why there is nothing, and a crash in between only leaves a file.
      await store.markLogRemoved(job, attempt, now);
      await removeLog(logPaths(home, job, attempt));
    }
  }

  for (let rows = await store.unmeasuredLogs(batch); rows.length > 0; rows = await store.unmeasuredLogs(batch))
    for (const { job, attempt } of rows)
      await store.measureLog(job, attempt, await sizeOf(logPaths(home, job, attempt).bytes));
  const before = new Date(now.getTime() - rules.days * dayMs);
  for (let rows = await store.logsBefore(before, batch); rows.length > 0; rows = await store.logsBefore(before, batch))
    await remove(rows);
  for (let kept = await store.keptBytes(); kept > rules.room;) {
    const oldest = await store.oldestLogs(1);
    if (oldest.length === 0) return;
    await remove(oldest);
    kept -= oldest[0]?.bytes ?? 0;
  }
}
