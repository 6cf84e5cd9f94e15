import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import type { BuildContext } from "./build-context.ts";
import { chooseSteps } from "./choose-steps.ts";
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
