/** Committed events and changes as they come, read once for all who listen in this process. */
import { sql } from "kysely";
import type { Bell, Database } from "./database.ts";
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
  /** Subjects of which something changed that is no event, such as a step that began to run. */
  changed: string[];
  /** There may have been more. */
  missed: boolean;
}

type Listener = (fed: FedEvents) => void;

export interface EventFeed {
  /** Calls back with the events that are committed after this has answered, once with each, and with changes. Answers the way to stop. */
  listen(listener: Listener): Promise<() => void>;
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
/** Changes of one subject that come closer together are told once. */
const gatherMs = 100;

/** The bell for a change that is no event; rung with its subject in the transaction that makes the change. */
export const changeOf = (subject: string): Bell => [changesChannel, subject];
const changesChannel = "towline_changes";

export function createEventFeed({ db, wake, log, stopping }: Deps): EventFeed {
  const listeners = new Set<Listener>();
  /** Those too who are still to be told where the events stand. */
  let wanted = 0;
  /** Resolves when that is known. */
  let standing = Promise.withResolvers<void>();
  stopping.addEventListener("abort", () => standing.resolve());
  let seen: { last: number; ids: Set<number> } | undefined;
  let looking: Promise<void> | undefined;
  let again = false;
  let rest: (() => void) | undefined;

  async function look(): Promise<void> {
    const before = seen;
    const from = before ? before.last - overlap : undefined;
    const read = await readEvents(db, from);
    // Nobody listened for a moment: where the events stand is learned anew.
    if (seen !== before) return;
    const ids = new Set(read.map(({ id }) => id));
    seen = { last: Math.max(before?.last ?? 0, ...ids), ids };
    // The first look only learns where the events stand.
    if (!before) return standing.resolve();
    const events = read.filter(({ id }) => !before.ids.has(id));
    const missed = read.length === mostAtOnce;
    if (events.length > 0) tell({ events, missed });
  }

  function tell(fed: Partial<FedEvents>): void {
    listeners.forEach((listener) => listener({ events: [], changed: [], missed: false, ...fed }));
  }

  const change = gathering((changed) => tell({ changed }));
  /** Nothing is said after a connection was lost: of what, nobody knows. */
  const hear = (subject: string | undefined) => (subject === undefined ? tell({ missed: true }) : change(subject));

  function lookSoon(): void {
    again = true;
    looking ??= (async () => {
      while (again && wanted > 0 && !stopping.aborted) {
        again = false;
        await look().catch((error: unknown) => log.debug({ err: error }, "the events could not be read"));
      }
    })().finally(() => (looking = undefined));
  }

  function begin(): void {
    const silences = [wake.on(eventsChannel, lookSoon), wake.on(changesChannel, hear)];
    const timer = setInterval(lookSoon, lookEveryMs).unref();
    lookSoon();
    rest = () => {
      silences.forEach((silence) => silence());
      clearInterval(timer);
      seen = undefined;
      standing = Promise.withResolvers();
    };
  }

  return {
    async listen(listener) {
      wanted++;
      if (wanted === 1) begin();
      if (!stopping.aborted) await standing.promise;
      listeners.add(listener);
      return () => {
        if (!listeners.delete(listener)) return;
        wanted--;
        if (wanted === 0) rest?.();
      };
    },
  };
}

/** Hands on together, each once, what comes close together. */
function gathering(hand: (subjects: string[]) => void): (subject: string) => void {
  const subjects = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  return (subject) => {
    subjects.add(subject);
    timer ??= setTimeout(() => {
      timer = undefined;
      hand([...subjects]);
      subjects.clear();
    }, gatherMs);
  };
}

async function readEvents(db: Database, from: number | undefined): Promise<FedEvent[]> {
  const { rows } = await sql<{ id: number; name: string; subject: string; at: Date }>`
    select id, name, subject, at from events
    where id > ${from ?? sql`(select coalesce(max(id), 0) - ${overlap}::bigint from events)`}
    order by id desc limit ${mostAtOnce}`.execute(db);
  return rows.toReversed().map(({ at, ...row }) => ({ ...row, at: at.toISOString() }));
}
