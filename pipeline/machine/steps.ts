/** Questions about one step of a state that several rules ask. */
import type { PlannedBlock, PlannedInput, PlannedStep, PlannedWork } from "../plan.ts";
import type { Attempt, BuildState, StepOutcome, StepState } from "./state.ts";

/** Throws for a key that the build has not: the caller made it up. */
export function stepOf(state: BuildState, key: string): StepState {
  const step = state.steps[key];
  if (!step) throw new Error(`the build has no step ${key}`);
  return step;
}

export function findStep(state: BuildState, key: string): StepState | undefined {
  return Object.hasOwn(state.steps, key) ? state.steps[key] : undefined;
}

/** Throws for a key that the plan has not. */
export function plannedOf(state: BuildState, key: string): PlannedStep {
  const planned = state.plan.steps.find((step) => step.key === key);
  if (!planned) throw new Error(`the plan has no step ${key}`);
  return planned;
}

/** True for steps that run on an agent. */
export function isWork(step: PlannedStep): step is PlannedWork {
  return step.kind === "command" || step.kind === "test" || step.kind === "publish";
}

/** True for steps at which a person is waited for. */
export function isGate(step: PlannedStep): step is PlannedBlock | PlannedInput {
  return step.kind === "block" || step.kind === "input";
}

/** The attempt that goes on, if one does. */
export function openAttempt({ attempts }: StepState): Attempt | undefined {
  const last = attempts.at(-1);
  return last && last.outcome === undefined ? last : undefined;
}

const satisfying: ReadonlySet<StepOutcome> = new Set(["passed", "soft-failed", "skipped"]);

export function outcomeOf({ status }: StepState): StepOutcome | undefined {
  return status.state === "finished" ? status.outcome : undefined;
}

/** What a dependency means for the step that has it. */
export type Standing = "pending" | "satisfied" | "failed";

export function standing(step: StepState, allowFailure: boolean): Standing {
  const outcome = outcomeOf(step);
  if (outcome === undefined) return "pending";
  return allowFailure || satisfying.has(outcome) ? "satisfied" : "failed";
}

/** Dependencies of a step that stand like this, in the order of the plan. */
export function dependenciesThat(state: BuildState, planned: PlannedStep, wanted: Standing): string[] {
  return planned.dependsOn
    .filter(({ key, allowFailure }) => standing(stepOf(state, key), allowFailure) === wanted)
    .map(({ key }) => key);
}

/** Failed for good: what makes a build red. */
export function hasFailed(step: StepState): boolean {
  const outcome = outcomeOf(step);
  return outcome === "failed" || outcome === "timed-out";
}
