/** What `pipeline upload --replace` takes away: the rest of the pipeline, but for what something that has begun stands on. */
import { ancestors } from "../graph.ts";
import type { PlannedStep } from "../plan.ts";
import type { Dependency } from "../step.ts";
import type { BuildState, StepState } from "./state.ts";
import { outcomeOf } from "./steps.ts";

/** The state without the steps that have not begun, and their keys. A gate goes only together with all that stands behind it. */
export function withoutRest(state: BuildState): { state: BuildState; removed: string[] } {
  const graph = graphOf(state.plan.steps);
  const begun = Object.values(state.steps).filter(hasBegun);
  const kept = new Set(begun.flatMap(({ key }) => [key, ...ancestors(graph, key)]));
  const removed = state.plan.steps.map(({ key }) => key).filter((key) => !kept.has(key));
  return { state: without(state, removed), removed };
}

/** Broken and skipped steps have done nothing yet; a broken one would come back when what broke it is tried again. */
function hasBegun(step: StepState): boolean {
  const outcome = outcomeOf(step);
  const isDone = outcome !== undefined && outcome !== "broken" && outcome !== "skipped";
  return step.attempts.length > 0 || isDone;
}

export function without(state: BuildState, keys: readonly string[]): BuildState {
  if (keys.length === 0) return state;
  const gone = new Set(keys);
  const steps = Object.fromEntries(Object.entries(state.steps).filter(([key]) => !gone.has(key)));
  return { ...state, plan: { ...state.plan, steps: state.plan.steps.filter(({ key }) => !gone.has(key)) }, steps };
}

export function graphOf(steps: readonly PlannedStep[]): Map<string, Dependency[]> {
  const edgesOf = (edges: PlannedStep["dependsOn"]) =>
    edges.map(({ key: step, allowFailure }) => ({ step, allowFailure }));
  return new Map(steps.map(({ key, dependsOn }) => [key, edgesOf(dependsOn)]));
}
