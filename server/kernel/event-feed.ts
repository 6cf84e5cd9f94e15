/** Committed events as they come, read once for all who listen in this process. */
import { sql } from "kysely";
import type { Database } from "./database.ts";
import type { Log } from "./log.ts";
import { eventsChannel } from "./outbox.ts";
import type { Wake } from "./wake.ts";

export interface FedEvent {
  id: number;
  name: string;
  subject: string;
  at: string;
}

export interface FedEvents {
  /** About in the order of their commits. */
  events: FedEvent[];
  /** There were more than could be read. */
  missed: boolean;
}

type Listener = (fed: FedEvents) => void;

export interface EventFeed {
  /** Calls back with the events that are committed from now on, once with each. Returns the way to stop. */
  listen(listener: Listener): () => void;
}

interface Deps {
  db: Database;
  wake: Wake;
  log: Log;
  stopping: AbortSignal;
}

/** An event that nobody reacts to rings no bell. */
const lookEveryMs = 1_000;
/** So many ids before the last one are read again: a transaction may commit after one that got a later id. */
const overlap = 500;
const mostAtOnce = 2_000;

export function createEventFeed({ db, wake, log, stopping }: Deps): EventFeed {
  const listeners = new Set<Listener>();
  let seen: { last: number; ids: Set<number> } | undefined;
  let looking: Promise<void> | undefined;
  let again = false;
  let rest: (() => void) | undefined;

  async function look(): Promise<void> {
    const before = seen;
    const from = before ? before.last - overlap : undefined;
    const read = await readEvents(db, from);
    const ids = new Set(read.map(({ id }) => id));
    seen = { last: Math.max(before?.last ?? 0, ...ids), ids };
    // The first look only learns where the events stand.
    if (!before) return;
    const events = read.filter(({ id }) => !before.ids.has(id));
    const missed = read.length === mostAtOnce;
    if (events.length > 0) listeners.forEach((listener) => listener({ events, missed }));
  }

  function lookSoon(): void {
    again = true;
    looking ??= (async () => {
      while (again && listeners.size > 0 && !stopping.aborted) {
        again = false;
        await look().catch((error: unknown) => log.debug({ err: error }, "the events could not be read"));
      }
    })().finally(() => (looking = undefined));
  }

  function begin(): void {
    const silence = wake.on(eventsChannel, lookSoon);
    const timer = setInterval(lookSoon, lookEveryMs).unref();
    lookSoon();
    rest = () => {
      silence();
      clearInterval(timer);
      seen = undefined;
    };
  }

  return {
    listen(listener) {
      listeners.add(listener);
      if (listeners.size === 1) begin();
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) rest?.();
      };
    },
  };
}

async function readEvents(db: Database, from: number | undefined): Promise<FedEvent[]> {
  const { rows } = await sql<{ id: number; name: string; subject: string; at: Date }>`
    select id, name, subject, at from events
    where id > ${from ?? sql`(select coalesce(max(id), 0) - ${overlap}::bigint from events)`}
    order by id desc limit ${mostAtOnce}`.execute(db);
  return rows.toReversed().map(({ at, ...row }) => ({ ...row, at: at.toISOString() }));
}
