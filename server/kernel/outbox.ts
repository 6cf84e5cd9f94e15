/**
 * Events and their delivery. `emit` joins the caller's transaction, so state and event commit together; each subscriber then
 * takes its deliveries in order per subject, in a transaction that also holds what the reaction wrote: a reaction takes effect
 * exactly once in the database, however often the process dies.
 */
import { type Generated, sql } from "kysely";
import { eventCatalogue, type EventName, type EventPayload } from "#api/events.ts";
import { type Database, notify, type Tx } from "./database.ts";
import type { Log } from "./log.ts";
import type { Wake } from "./wake.ts";

export interface Event<N extends EventName = EventName> {
  id: number;
  name: N;
  subject: string;
  payload: EventPayload<N>;
  at: Date;
}

/** One subscriber's answer to one event. `subscriber` names module and purpose and must never change: deliveries carry it. */
export interface Reaction<N extends EventName = EventName> {
  subscriber: string;
  on: N;
  react(tx: Tx, event: Event<N>): Promise<void>;
}

/** Ties the payload's type to the event's name. */
export function reaction<N extends EventName>(subscriber: string, on: N, react: Reaction<N>["react"]): Reaction {
  return { subscriber, on, react } as unknown as Reaction;
}

export interface Emit {
  <N extends EventName>(tx: Tx, subject: string, name: N, payload: EventPayload<N>): Promise<void>;
}

/** Thrown by a reaction whose turn has not come yet: it is tried again soon, without a word in the log. */
export class NotYet extends Error {}

export interface Outbox {
  emit: Emit;
  /** Adds subscribers; all of them before the first `emit`. */
  subscribe(reactions: Reaction[]): void;
  /** Starts delivering; `dispose` finishes the reactions at work and stops. */
  start(): AsyncDisposable;
}

type OutboxTables = {
  events: { id: Generated<number>; name: string; subject: string; payload: string };
  deliveries: { subscriber: string; event_id: number; subject: string };
};

const channel = "towline_events";
const sweepMs = 2_000;
const lanes = 6;
const longestBackoffSeconds = 60;
const longestWaitSeconds = 1;

interface Deps {
  db: Database;
  wake: Wake;
  log: Log;
}

export function createOutbox({ db, wake, log }: Deps): Outbox {
  const reactions: Reaction[] = [];

  const emit: Emit = async (tx, subject, name, payload) => {
    const q = tx.withTables<OutboxTables>();
    const parsed = eventCatalogue[name].parse(payload);
    const { id } = await q
      .insertInto("events")
      .values({ name, subject, payload: JSON.stringify(parsed) })
      .returning("id")
      .executeTakeFirstOrThrow();
    const subscribers = reactions.filter((each) => each.on === name);
    if (subscribers.length === 0) return;
    await q
      .insertInto("deliveries")
      .values(subscribers.map(({ subscriber }) => ({ subscriber, event_id: id, subject })))
      .execute();
    await notify(tx, channel);
  };

  /** Delivers one due event. Answers false when none is due. */
  async function deliverOne(ringAfter: (ms: number) => void): Promise<boolean> {
    return db.transaction().execute(async (tx) => {
      const taken = await takeDelivery(tx);
      if (!taken) return false;
      const target = reactions.find((each) => each.subscriber === taken.subscriber && each.on === taken.name);
      try {
        await sql`savepoint reaction`.execute(tx);
        await target?.react(tx, taken as unknown as Event);
        await removeDelivery(tx, taken);
      } catch (error) {
        await sql`rollback to savepoint reaction`.execute(tx);
        const waits = error instanceof NotYet;
        if (!waits)
          log.error(
            { err: error, event: taken.name, subscriber: taken.subscriber, attempts: taken.attempts + 1 },
            "a reaction failed",
          );
        const longest = waits ? longestWaitSeconds : longestBackoffSeconds;
        const seconds = Math.min(longest, 0.05 * 2 ** Math.min(taken.attempts, 20));
        await postpone(tx, taken, { error: String(error), seconds });
        ringAfter(seconds * 1000 + 5);
      }
      return true;
    });
  }

  function start(): AsyncDisposable {
    let stopping = false;
    let bell = Promise.withResolvers<void>();
    const ring = () => {
      bell.resolve();
      bell = Promise.withResolvers<void>();
    };
    const ringAfter = (ms: number) => void setTimeout(ring, ms).unref();
    const off = wake.on(channel, ring);
    const sweep = setInterval(ring, sweepMs);
    const lane = async () => {
      while (!stopping) {
        const next = bell.promise;
        const delivered = await deliverOne(ringAfter).catch((error) => {
          if (!stopping) log.warn({ err: error }, "deliveries wait for the database");
          return false;
        });
        if (!delivered && !stopping) await next;
      }
    };
    const running = Array.from({ length: lanes }, lane);
    return {
      async [Symbol.asyncDispose]() {
        stopping = true;
        off();
        clearInterval(sweep);
        ring();
        await Promise.all(running);
      },
    };
  }

  return { emit, start, subscribe: (more) => void reactions.push(...more) };
}

interface Taken {
  id: number;
  subscriber: string;
  name: string;
  subject: string;
  payload: unknown;
  at: Date;
  attempts: number;
}

/** The oldest due delivery that no earlier one of the same subscriber and subject stands before. */
async function takeDelivery(tx: Tx): Promise<Taken | undefined> {
  const { rows } = await sql<Taken>`
    select e.id, d.subscriber, e.name, d.subject, e.payload, e.at, d.attempts
    from deliveries d join events e on e.id = d.event_id
    where d.next_at <= now() and not exists (
      select 1 from deliveries earlier
      where earlier.subscriber = d.subscriber and earlier.subject = d.subject and earlier.event_id < d.event_id)
    order by d.event_id limit 1
    for update of d skip locked`.execute(tx);
  return rows[0];
}

async function removeDelivery(tx: Tx, { subscriber, id }: Taken): Promise<void> {
  await sql`delete from deliveries where subscriber = ${subscriber} and event_id = ${id}`.execute(tx);
}

async function postpone(
  tx: Tx,
  { subscriber, id }: Taken,
  { error, seconds }: { error: string; seconds: number },
): Promise<void> {
  await sql`
    update deliveries set attempts = attempts + 1, next_at = now() + make_interval(secs => ${seconds}), last_error = ${error.slice(0, 2000)}
    where subscriber = ${subscriber} and event_id = ${id}`.execute(tx);
}
