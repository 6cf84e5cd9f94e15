/** A step as `buildkite-agent step get` knows it: Buildkite's words for what we have. */
import type { BuildState, StepOutcome, StepStatus } from "../machine/state.ts";
import { stepOf } from "../machine/steps.ts";
import type { PlannedStep } from "../plan.ts";

export interface StepAttributes {
  [name: string]: string | number | string[] | null;
  id: string | null;
  key: string;
  label: string;
  type: string;
  state: string;
  outcome: string;
  exit_status: number | null;
  depends_on: string[];
}

const states: Record<StepStatus["state"], string> = {
  waiting: "waiting_for_dependencies",
  runnable: "ready",
  leased: "running",
  running: "running",
  requested: "running",
  blocked: "ready",
  canceling: "running",
  finished: "finished",
};

const outcomes: Record<StepOutcome, string> = {
  passed: "passed",
  "soft-failed": "soft_failed",
  failed: "hard_failed",
  "timed-out": "hard_failed",
  canceled: "hard_failed",
  broken: "errored",
  superseded: "errored",
  skipped: "neutral",
};

/** `neutral` until it has ended. */
export function stepAttributes(state: BuildState, step: PlannedStep, job: string | undefined): StepAttributes {
  const { status } = stepOf(state, step.key);
  const end = status.state === "finished" ? status : undefined;
  return {
    id: job ?? null,
    key: step.key,
    label: step.label,
    type: step.kind,
    state: states[status.state],
    outcome: end ? outcomes[end.outcome] : "neutral",
    exit_status: end?.exitStatus ?? null,
    depends_on: step.dependsOn.map(({ key }) => key),
  };
}
