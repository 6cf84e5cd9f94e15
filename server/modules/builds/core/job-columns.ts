import type { StepState } from "#pipeline/machine/state.ts";
import type { JobRow } from "./rows.ts";

export type JobColumns = Pick<JobRow, "state" | "attempt" | "token_hash" | "agent">;

/** The step's state as the columns that claims and clocks look at. */
export function jobColumns(step: StepState): JobColumns {
  const last = step.attempts.at(-1);
  const open = last && !last.outcome ? last : undefined;
  return {
    state: step.status.state,
    attempt: step.attempts.length,
    token_hash: open?.token ?? null,
    agent: open?.agent ?? null,
  };
}
