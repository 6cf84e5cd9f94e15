import { nearest } from "#api/nearest.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import { ancestors, type Graph } from "./graph.ts";
import type { Plan } from "./plan.ts";
import type { RetryRule } from "./step.ts";
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

/** So often a verification is tried again by itself after its machine failed it. */
export const verifyingRetries = 3;

/** An agent that was lost, a container that could not be started, a time that ran out: no verdict of the tests. */
const failedByMachine: RetryRule = { exitStatus: "*", signalReason: "*", limit: verifyingRetries };

/** The plan with nothing but the tests that verify contracts; nobody waits in front of it who could try them again. */
export function verifyingSteps(plan: Plan): Plan {
  return {
    ...plan,
    steps: plan.steps.map((step) => {
      if (step.skipped !== undefined) return step;
      if (step.kind !== "test" || step.verify === undefined) return { ...step, skipped: { kind: "not-chosen" } };
      const { retry } = step;
      return { ...step, retry: { ...retry, automatic: [...retry.automatic, failedByMachine] } };
    }),
  };
}

function unknownStep(name: string, there: string[]): Refusal {
  const near = nearest(name, there);
  const fix = near ? `Did you mean \`${near}\`?` : `Its steps: ${there.join(", ")}`;
  return refuse("not-found", `the pipeline has no step \`${name}\``, { fix });
}
