/**
 * Events and their delivery. `emit` joins the caller's transaction, so state and event commit together; each subscriber then
 * takes its deliveries in order per subject, in a transaction that also holds what the reaction wrote: a reaction takes effect
 * exactly once in the database, however often the process dies.
 */
import { sql } from "kysely";
import { eventCatalogue, type EventName, type EventPayload } from "#api/events.ts";
import type { Database, Tx } from "./database.ts";
import { startDelivery } from "./delivery.ts";
import type { Log } from "./log.ts";
import type { Reaction } from "./reaction.ts";
import type { Wake } from "./wake.ts";

export { untilHeard } from "./delivery.ts";
export { type Event, NotYet, type Reaction, reaction } from "./reaction.ts";

export interface Emit {
  <N extends EventName>(tx: Tx, subject: string, name: N, payload: EventPayload<N>): Promise<void>;
  /** Several of one subject, in their order, for the price of one. */
  all(tx: Tx, subject: string, events: readonly Emitted[]): Promise<void>;
}

export type Emitted = { [N in EventName]: { name: N; payload: EventPayload<N> } }[EventName];

export interface Outbox {
  emit: Emit;
  /** Adds subscribers; all of them before the first `emit`. */
  subscribe(reactions: Reaction[]): void;
  /** Starts delivering; `dispose` finishes the reactions at work and stops. */
  start(): AsyncDisposable;
}

export const eventsChannel = "towline_events";

interface Deps {
  db: Database;
  wake: Wake;
  log: Log;
}

export function createOutbox({ db, wake, log }: Deps): Outbox {
  const reactions: Reaction[] = [];

  /** All by one statement, for each way to the database and back waits for the processor twice. */
  async function all(tx: Tx, subject: string, events: readonly Emitted[]): Promise<void> {
    if (events.length === 0) return;
    const names = events.map(({ name }) => name);
    const payloads = events.map(({ name, payload }) => JSON.stringify(eventCatalogue[name].parse(payload)));
    const listening = reactions.filter(({ on }) => names.includes(on));
    const subscribers = listening.map(({ subscriber }) => subscriber);
    await sql`
      with written as (
          insert into events (name, subject, payload)
          select name, ${subject}, payload::jsonb
          from unnest(${names}::text[], ${payloads}::text[]) with ordinality as said (name, payload, at) order by at
          returning id, name),
        due as (
          insert into deliveries (subscriber, event_id, subject)
          select subscriber, id, ${subject}
          from written join unnest(${subscribers}::text[], ${listening.map(({ on }) => on)}::text[]) as listening (subscriber, name)
            using (name)
          returning event_id)
      select pg_notify(${eventsChannel}, '') from due limit 1`.execute(tx);
  }

  const emit: Emit = Object.assign(
    <N extends EventName>(tx: Tx, subject: string, name: N, payload: EventPayload<N>) =>
      all(tx, subject, [{ name, payload } as Emitted]),
    { all },
  );

  return {
    emit,
    subscribe: (more) => void reactions.push(...more),
    start: () => startDelivery({ db, wake, log, reactions, channel: eventsChannel }),
  };
}
