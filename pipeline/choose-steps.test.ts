import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import type { BuildContext } from "./build-context.ts";
import { chooseSteps, verifyingRetries, verifyingSteps } from "./choose-steps.ts";
import { type AttemptEnd, matchingRule } from "./machine/retry-rule.ts";
import { parsePipeline } from "./pipeline-file.ts";
import { type Plan, planPipeline } from "./plan.ts";

const context: BuildContext = {
  build: { number: 1, branch: "main", commit: "a".repeat(40), message: "", source: "push", env: {} },
  pipeline: { slug: "orders", defaultBranch: "main" },
};

function plan(text: string, more: Partial<BuildContext> = {}): Plan {
  const { value, errors } = parsePipeline({ file: "p.yml", text });
  if (!value) throw new Error(JSON.stringify(errors));
  return planPipeline(value, { ...context, ...more });
}

const text = `
- { command: x, key: lint }
- { command: x, key: build, matrix: [a, b] }
- wait
- { command: x, key: unit, depends_on: build/a }
- { command: x, key: "off", if: "false" }
- { group: slow, key: slow, steps: [{ command: x, key: e2e, depends_on: unit }] }
`;

function kept(...[names, alone = false]: [string[], boolean?]): string[] {
  const chosen = chooseSteps(plan(text), { names, alone });
  if (isRefusal(chosen)) throw new Error(chosen.message);
  return chosen.steps.filter(({ skipped }) => !skipped).map(({ key }) => key);
}

test("the wanted steps stay, with all that they depend on", () => {
  expect(kept(["unit"])).toEqual(["build/a", "unit"]);
  expect(kept(["slow", "lint"])).toEqual(["lint", "build/a", "unit", "e2e"]);
  expect(kept(["build"])).toEqual(["build/a", "build/b"]);
});

test("alone they stay without it", () => {
  expect(kept(["unit"], true)).toEqual(["unit"]);
});

test("a wanted step whose own condition is false stays left out", () => {
  expect(kept(["off"], true)).toEqual([]);
});

test("a name that is none is refused, with what may be meant", () => {
  expect(chooseSteps(plan(text), { names: ["unti"], alone: false })).toMatchObject({
    ...{ refused: "not-found", fix: "Did you mean `unit`?" },
  });
});

test("on a person's own machine nothing is published, deployed or triggered, and no gate before that is asked", () => {
  const { steps } = plan(
    `
- { command: x, key: unit }
- { publish: ".", key: image }
- { deploy: test, key: test }
- { block: Go, key: gate }
- { deploy: production, key: production }
- { trigger: other, key: other, depends_on: unit }
- { command: x, key: after }
`,
    { local: true },
  );
  expect(steps.map(({ key, skipped }) => `${key}: ${skipped?.kind ?? "runs"}`)).toEqual([
    ...["unit: runs", "image: needs-platform", "test: needs-platform", "gate: runs", "production: needs-platform"],
    ...["other: needs-platform", "after: runs"],
  ]);
});

test("of a build that verifies contracts only such tests run; what a machine failed is tried again, what a test says is not", () => {
  const { steps } = verifyingSteps(
    plan(`
- { command: x, key: build }
- { key: pacts, test: { compose: c.yml, run: unit, verify: pacts }, retry: { automatic: { exit_status: 75, limit: 1 } } }
`),
  );
  expect(steps.map(({ key, skipped }) => `${key}: ${skipped?.kind ?? "runs"}`)).toEqual([
    ...["build: not-chosen", "pacts: runs"],
  ]);
  const [, step] = steps;
  if (step?.kind !== "test") throw new Error("no test");
  const rule = (end: AttemptEnd, used = {}) => matchingRule(step.retry, used, end);
  for (const signalReason of ["agent_lost", "agent_stop", "process_run_error", "cancel"] as const)
    expect(rule({ exitStatus: -1, signalReason })).toBe(1);
  expect(rule({ exitStatus: -1, signalReason: "agent_lost" }, { 1: verifyingRetries })).toBeUndefined();
  expect(rule({ exitStatus: 1, signalReason: "none" })).toBeUndefined();
  expect(rule({ exitStatus: 75, signalReason: "none" })).toBe(0);
});
