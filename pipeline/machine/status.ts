/** The state of a whole build, derived from its steps. */
import type { BuildState, BuildStatus, StepState } from "./state.ts";
import { hasFailed, outcomeOf } from "./steps.ts";

export function buildStatus(state: BuildState): BuildStatus {
  const steps = Object.values(state.steps);
  if (steps.every(({ status }) => status.state === "finished"))
    return { state: "finished", outcome: buildOutcome(state, steps) };
  if (state.cancel) return { state: "canceling" };
  if (steps.some(hasFailed)) return { state: "failing" };
  const isActive = steps.some(({ status }) => activeStates.has(status.state));
  if (!isActive && steps.some(({ status }) => status.state === "blocked")) return { state: "blocked" };
  return { state: steps.some(hasBegun) ? "running" : "scheduled" };
}

const activeStates: ReadonlySet<StepState["status"]["state"]> = new Set([
  "runnable",
  "leased",
  "running",
  "requested",
  "canceling",
]);

function hasBegun({ attempts, status }: StepState): boolean {
  return attempts.length > 0 || (status.state === "finished" && status.by !== undefined);
}

function buildOutcome({ cancel }: BuildState, steps: readonly StepState[]): NonNullable<BuildStatus["outcome"]> {
  const outcomes = steps.map(outcomeOf);
  // A cancel that came too late to stop anything changes nothing.
  const isStopped = outcomes.some((outcome) => outcome === "canceled" || outcome === "superseded");
  if (cancel && isStopped) return "canceled";
  if (steps.some(hasFailed)) return "failed";
  return isStopped ? "canceled" : "passed";
}
