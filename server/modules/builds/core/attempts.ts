import type { BuildEvent } from "#pipeline/machine/event.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import { stepOf } from "#pipeline/machine/steps.ts";
import type { JobRow } from "./rows.ts";

export interface JobAttempt {
  job: string;
  attempt: number;
}

/** Attempts at jobs that began and that ended in these events, read off the state after them. */
export function attemptsIn(
  events: readonly BuildEvent[],
  { jobs, state }: { jobs: readonly Pick<JobRow, "id" | "step">[]; state: BuildState },
): { begun: JobAttempt[]; ended: JobAttempt[] } {
  const idOf = new Map(jobs.map(({ id, step }) => [step, id]));
  const attemptOf = (step: string, token: string): JobAttempt[] => {
    const job = idOf.get(step);
    const found = stepOf(state, step).attempts.find((attempt) => attempt.token === token);
    return job && found ? [{ job, attempt: found.number }] : [];
  };
  return {
    begun: events.flatMap((event) => (event.type === "step-leased" ? attemptOf(event.step, event.token) : [])),
    ended: events.flatMap((event) => (event.type === "attempt-ended" ? attemptOf(event.step, event.token) : [])),
  };
}
