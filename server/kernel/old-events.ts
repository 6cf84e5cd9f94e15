/** The audit log is kept for a time: old events go, but for those that somebody still waits to hear of. */
import { sql } from "kysely";
import type { Clock } from "./clock.ts";
import type { Database } from "./database.ts";
import { jobs, type Task } from "./jobs.ts";

interface Deps {
  db: Database;
  clock: Clock;
  /** Days that events are kept. */
  days: number;
}

const task = "kernel.forget-events";
const everyMs = 60 * 60 * 1000;
const dayMs = 24 * 60 * 60 * 1000;
const batch = 1_000;

export function createEventRetention({ db, clock, days }: Deps) {
  const forgetIn = (ms: number) =>
    db.transaction().execute((tx) => jobs.add(tx, task, {}, { key: task, runAt: new Date(Date.now() + ms) }));

  async function forget(): Promise<void> {
    const before = new Date(clock.now().getTime() - days * dayMs);
    while ((await deleteSome(db, before)) === batch);
  }

  const run: Task = async () => {
    await forget();
    await forgetIn(everyMs);
  };
  return { forget, tasks: { [task]: run }, start: () => forgetIn(everyMs) };
}

async function deleteSome(db: Database, before: Date): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from events where id in (
      select id from events e where at < ${before}
        and not exists (select 1 from deliveries d where d.event_id = e.id)
      order by at limit ${batch})`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
