/** Steps that a job adds to its own build: planned as if they stood in the file, with the build's other jobs in sight. */
import type { BuildContext } from "./build-context.ts";
import type { Dependency, Pipeline } from "./step.ts";
import { buildGraph, type Names } from "./graph.ts";
import { type Plan, planJobs, type PlannedStep } from "./plan.ts";

/** What a name in `depends_on` of an uploaded pipeline may stand for beside its own: a job, a step or a group of the build. */
export function namesOf({ steps }: Plan): Names {
  const names = new Map<string, string[]>();
  for (const { key, step, group } of steps)
    for (const name of new Set([key, step, ...(group ? [group.key] : [])]))
      names.set(name, [...(names.get(name) ?? []), key]);
  return names;
}

/** The pipeline must have been read with `namesOf(plan)` in sight. */
export function planUpload(plan: Plan, pipeline: Pipeline, context: BuildContext): PlannedStep[] {
  const own = buildGraph(pipeline.steps, namesOf(plan));
  const edges = plan.steps.map(({ key, dependsOn }): [string, Dependency[]] => [
    key,
    dependsOn.map(({ key: step, allowFailure }) => ({ step, allowFailure })),
  ]);
  return planJobs(pipeline, context, { own, all: new Map([...edges, ...own]), before: plan.steps });
}
