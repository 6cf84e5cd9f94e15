import { isRefusal, type Refusal } from "#api/errors.ts";
import { apply } from "#pipeline/machine/apply.ts";
import type { Command } from "#pipeline/machine/command.ts";
import { decide } from "#pipeline/machine/decide.ts";
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
  const events = decide(change.state, command);
  if (isRefusal(events)) return events;
  const state = events.reduce((current, event) => apply(current, event), change.state);
  return { ...change, state, events: [...change.events, ...events] };
}
