import { nearest } from "#api/nearest.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import { ancestors, type Graph } from "./graph.ts";
import type { Plan } from "./plan.ts";
import { namesOf } from "./upload.ts";

/** A wish for some steps of a plan. */
export interface Choice {
  /** Of jobs, steps with all their jobs, and groups. */
  names: readonly string[];
  /** Without what they depend on. */
  alone: boolean;
}

/** The plan with all but the wanted steps left out, and what those depend on. */
export function chooseSteps(plan: Plan, { names, alone }: Choice): Plan | Refusal {
  const known = namesOf(plan);
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) return unknownStep(unknown, [...known.keys()]);
  const graph: Graph = new Map(
    plan.steps.map(({ key, dependsOn }) => [
      key,
      dependsOn.map(({ key: step, allowFailure }) => ({ step, allowFailure })),
    ]),
  );
  const wanted = names.flatMap((name) => known.get(name) ?? []);
  const chosen = new Set(alone ? wanted : wanted.flatMap((key) => [key, ...ancestors(graph, key)]));
  return {
    ...plan,
    steps: plan.steps.map((step) =>
      chosen.has(step.key) || step.skipped ? step : { ...step, skipped: { kind: "not-chosen" } },
    ),
  };
}

/** The plan with nothing but the tests that verify contracts. */
export function verifyingSteps(plan: Plan): Plan {
  const verifies = (step: Plan["steps"][number]) => step.kind === "test" && step.verify !== undefined;
  const isLeft = (step: Plan["steps"][number]) => step.skipped !== undefined || verifies(step);
  return {
    ...plan,
    steps: plan.steps.map((step) => (isLeft(step) ? step : { ...step, skipped: { kind: "not-chosen" } })),
  };
}

function unknownStep(name: string, there: string[]): Refusal {
  const near = nearest(name, there);
  const fix = near ? `Did you mean \`${near}\`?` : `Its steps: ${there.join(", ")}`;
  return refuse("not-found", `the pipeline has no step \`${name}\``, { fix });
}
