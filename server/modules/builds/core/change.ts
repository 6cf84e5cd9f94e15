import { isRefusal, type Refusal } from "#api/errors.ts";
import type { Command } from "#pipeline/machine/command.ts";
import { decideAndApply } from "#pipeline/machine/decide.ts";
import type { BuildEvent } from "#pipeline/machine/event.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import type { BuildRow, JobRow } from "./rows.ts";

/** A build in the hands of one transaction, and what happened to it there. */
export interface Change {
  /** As they stood before. */
  build: BuildRow;
  jobs: JobRow[];
  /** As it stands now. */
  state: BuildState;
  events: BuildEvent[];
}

/** The change with one more command done, or the machine's refusal. */
export function advance(change: Change, command: Command): Change | Refusal {
  const done = decideAndApply(change.state, command);
  return isRefusal(done) ? done : { ...change, state: done.state, events: [...change.events, ...done.events] };
}

/** Steps that others took the place of. */
export function removedBy(events: readonly BuildEvent[]): string[] {
  return events.flatMap((event) => (event.type === "steps-added" ? (event.removed ?? []) : []));
}
