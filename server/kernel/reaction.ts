/** What subscribers are made of. */
import type { EventName, EventPayload } from "#api/events.ts";
import type { Tx } from "./database.ts";

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
  // The list of subscribers holds reactions to every event; the outbox calls each with its own.
  return { subscriber, on, react };
}

/** Thrown by a reaction whose turn has not come yet: it is tried again soon, without a word in the log. */
export class NotYet extends Error {}
