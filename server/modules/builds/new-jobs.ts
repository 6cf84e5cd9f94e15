import { newId } from "#kernel/clock.ts";
import { isWork } from "#pipeline/machine/steps.ts";
import type { Plan, PlannedStep } from "#pipeline/plan.ts";
import type { BuildRow } from "./core/rows.ts";
import { jobTags } from "./core/tags.ts";

/** Rows for those of the steps that will run on an agent. */
export function newJobs({ id: build, sequence }: BuildRow, plan: Plan, steps: readonly PlannedStep[] = plan.steps) {
  const work = steps.filter(isWork).filter(({ skipped }) => !skipped);
  const positions = new Map(plan.steps.map(({ key }, index) => [key, index]));
  return work.map((step) => ({
    ...{ id: newId(), build, sequence, step: step.key, kind: step.kind },
    position: positions.get(step.key) ?? plan.steps.length,
    tags: jobTags(step.agents),
    priority: step.priority ?? 0,
    slot_group: step.concurrency?.group ?? null,
    state: "waiting",
  }));
}
