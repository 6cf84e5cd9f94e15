import type { BuildState, Cancellation } from "./state.ts";

/** How a step ends that was stopped before its own end. */
export interface Stopped {
  outcome: "canceled" | "superseded";
  reason: string;
}

export function stoppedBy({ by, reason, supersededBy }: Cancellation): Stopped {
  if (supersededBy !== undefined)
    return { outcome: "superseded", reason: `build ${supersededBy} of the same branch is newer` };
  return { outcome: "canceled", reason: `canceled by ${by}${reason === undefined ? "" : `: ${reason}`}` };
}

/** The outcome of a step that was at work when its build was canceled, or began to fail. */
export function stoppedOutcome({ cancel }: BuildState): Stopped["outcome"] {
  return cancel ? stoppedBy(cancel).outcome : "canceled";
}
