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
  if (!isActive && steps.some(({ status }) => status.state === "blocked"))
    return { state: "blocked", blockedState: blockedState(state) };
  return { state: steps.some(hasBegun) ? "running" : "scheduled" };
}

const activeStates: ReadonlySet<StepState["status"]["state"]> = new Set([
  "runnable",
  "leased",
  "running",
  "requested",
  "canceling",
]);

/** Of several gates the one that says the worst counts. */
function blockedState({ plan, steps }: BuildState): NonNullable<BuildStatus["blockedState"]> {
  const isOpen = (key: string) => steps[key]?.status.state === "blocked";
  const words = plan.steps.flatMap((step) => (step.kind === "block" && isOpen(step.key) ? step.blockedState : []));
  const order = ["failed", "running", "passed"] as const;
  return words.toSorted((one, other) => order.indexOf(one) - order.indexOf(other))[0] ?? "passed";
}

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
