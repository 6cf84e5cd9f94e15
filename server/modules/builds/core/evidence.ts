import { isWork } from "#pipeline/machine/steps.ts";
import type { BuildState, StepOutcome } from "#pipeline/machine/state.ts";

/** What a step that ran says about a build. Times are ISO 8601. */
export interface Evidence {
  key: string;
  label: string;
  kind: "command" | "test" | "publish";
  outcome: StepOutcome;
  startedAt: string | null;
  finishedAt: string | null;
  /** That ran it last. */
  agent?: string;
  /** Number of the build that really ran it, where its result was used again. */
  reusedFrom?: number;
}

/** Steps that ran on an agent and have ended; the newest attempt of each counts. */
export function evidenceOf({ plan, steps }: BuildState): Evidence[] {
  return plan.steps.filter(isWork).flatMap(({ key, label, kind }): Evidence[] => {
    const { status, attempts } = steps[key] ?? {};
    const last = attempts?.at(-1);
    if (status?.state !== "finished" || !last) return [];
    const { startedAt = null, finishedAt = null, reused, agent } = last;
    const from = reused ? { reusedFrom: reused.number } : {};
    return [{ key, label, kind, outcome: status.outcome, startedAt, finishedAt, ...(agent ? { agent } : {}), ...from }];
  });
}
