import type { StepState } from "#pipeline/machine/state.ts";
import type { JobRow } from "./rows.ts";

/** The step's state as the columns that claims and clocks look at. A lease keeps its end until its token changes. */
export function jobColumns(
  job: Pick<JobRow, "token_hash" | "lease_until">,
  step: StepState,
  leaseUntil: Date,
): Pick<JobRow, "state" | "attempt" | "token_hash" | "agent" | "lease_until"> {
  const last = step.attempts.at(-1);
  const open = last && !last.outcome ? last : undefined;
  const kept = open?.token === job.token_hash ? job.lease_until : leaseUntil;
  return {
    state: step.status.state,
    attempt: step.attempts.length,
    token_hash: open?.token ?? null,
    agent: open?.agent ?? null,
    lease_until: open ? kept : null,
  };
}
