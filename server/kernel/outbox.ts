/**
 * Events and their delivery. `emit` joins the caller's transaction, so state and event commit together; each subscriber then
 * takes its deliveries in order per subject, in a transaction that also holds what the reaction wrote: a reaction takes effect
 * exactly once in the database, however often the process dies.
 */
import type { Generated } from "kysely";
import { eventCatalogue, type EventName, type EventPayload } from "#api/events.ts";
import { type Database, notify, type Tx } from "./database.ts";
import { startDelivery } from "./delivery.ts";
import type { Log } from "./log.ts";
import type { Reaction } from "./reaction.ts";
import type { Wake } from "./wake.ts";

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

type OutboxTables = {
  events: { id: Generated<number>; name: string; subject: string; payload: string };
  deliveries: { subscriber: string; event_id: number; subject: string };
};

export const eventsChannel = "towline_events";

interface Deps {
  db: Database;
  wake: Wake;
  log: Log;
}

export function createOutbox({ db, wake, log }: Deps): Outbox {
  const reactions: Reaction[] = [];

  async function all(tx: Tx, subject: string, events: readonly Emitted[]): Promise<void> {
    if (events.length === 0) return;
    const q = tx.withTables<OutboxTables>();
    const rows = events.map(({ name, payload }) => {
      const parsed = eventCatalogue[name].parse(payload);
      return { name, subject, payload: JSON.stringify(parsed) };
    });
    const written = await q.insertInto("events").values(rows).returning(["id", "name"]).execute();
    const deliveries = written.flatMap(({ id, name }) =>
      reactions.filter(({ on }) => on === name).map(({ subscriber }) => ({ subscriber, event_id: id, subject })),
    );
    if (deliveries.length === 0) return;
    await q.insertInto("deliveries").values(deliveries).execute();
    await notify(tx, eventsChannel);
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
