import type { Tx } from "#kernel/database.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";

export const readTask = "fleet.read";

/** A default branch that moved is read again; what the task finds at its head then decides, not the event. */
export function fleetReactions(enqueue: (tx: Tx, repository: string) => Promise<void>): Reaction[] {
  return [
    reaction("fleet.read", "source.ref-changed", async (tx, { payload }) => {
      if (payload.ref === "refs/heads/main") await enqueue(tx, payload.repository);
    }),
  ];
}
