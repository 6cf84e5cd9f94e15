import { describe, expect, test } from "vitest";
import type { BuildContext } from "./build-context.ts";
import { buildVariables } from "./build-variables.ts";
import { defaultPipeline } from "./default-pipeline.ts";
import { lintPipeline } from "./lint.ts";
import { readPipeline } from "./pipeline-file.ts";
import { type Plan, planPipeline } from "./plan.ts";
import { renderSkipReason } from "./skips.ts";

const context: BuildContext = {
  build: {
    number: 12,
    branch: "main",
    commit: "a".repeat(40),
    message: "m",
    source: "push",
    env: { FROM_BUILD: "1", BOTH: "build" },
  },
  pipeline: { slug: "orders", defaultBranch: "main" },
};
const branch: BuildContext = {
  ...context,
  build: { ...context.build, branch: "feature/x", source: "pull-request", pullRequest: { id: 7, baseBranch: "main" } },
};

function plan(text: string, of = context): Plan {
  const parsed = readPipeline({ file: "p.yml", text });
  if (parsed.errors) throw new Error(JSON.stringify(parsed.errors));
  return planPipeline(parsed.value, of);
}

const edges = ({ steps }: Plan): Record<string, string> =>
  Object.fromEntries(
    steps.map(({ key, dependsOn }) => [
      key,
      dependsOn.map((edge) => edge.key + (edge.allowFailure ? "?" : "")).join(" "),
    ]),
  );
const skips = ({ steps }: Plan): Record<string, string> =>
  Object.fromEntries(steps.flatMap(({ key, skipped }) => (skipped ? [[key, skipped.kind]] : [])));

describe("order", () => {
  test("steps between barriers run side by side, barriers wait for all before them", () => {
    expect(
      edges(
        plan(
          "- { command: x, key: a }\n- { command: x, key: b }\n- wait\n- { command: x, key: c }\n- { block: G, key: g }\n- { command: x, key: d }",
        ),
      ),
    ).toEqual({
      a: "",
      b: "",
      wait: "a b",
      c: "wait",
      g: "wait c",
      d: "g",
    });
  });
  test("a deploy step is a barrier too, so that the order of the file is the order of the flow", () => {
    expect(
      edges(plan("- { publish: ., key: p }\n- deploy: test\n- { command: smoke, key: s }\n- { deploy: production }")),
    ).toEqual({
      p: "",
      "deploy-test": "p",
      s: "deploy-test",
      "deploy-production": "deploy-test s",
    });
  });
  test("`depends_on` stands for itself, and later barriers wait for its step as well", () => {
    expect(
      edges(
        plan(
          "- { command: x, key: a }\n- wait\n- { command: x, key: b, depends_on: a }\n- { command: x, key: c, depends_on: ~ }\n- { wait: ~, key: w }\n- { command: x, key: d }",
        ),
      ),
    ).toEqual({
      a: "",
      wait: "a",
      b: "a",
      c: "",
      w: "wait b c",
      d: "w",
    });
  });
  test("a gate with its own dependencies is added to what the steps below wait for", () => {
    expect(
      edges(
        plan(
          "- { command: x, key: a }\n- wait\n- { command: x, key: b }\n- { block: G, key: g, depends_on: b }\n- { command: x, key: c }",
        ),
      ),
    ).toMatchObject({ g: "b", c: "wait g" });
  });
  test("failures are allowed by edge, by step and by `continue_on_failure`", () => {
    expect(
      edges(
        plan(
          "- { command: x, key: a }\n- { wait: ~, key: w, continue_on_failure: true }\n- { command: x, key: b, depends_on: [{ step: a, allow_failure: true }, w] }\n- { command: x, key: c, depends_on: a, allow_dependency_failure: true }",
        ),
      ),
    ).toEqual({ a: "", w: "a?", b: "a? w", c: "a?" });
  });
});

describe("conditions", () => {
  test("skip a step with the reason", () => {
    const planned = plan(
      "- { command: x, key: a, if: build.tag != null }\n- { command: x, key: b, branches: release/* }\n- { command: x, key: c, skip: later }\n- { command: x, key: d, skip: false }",
    );
    expect(skips(planned)).toEqual({ a: "condition", b: "branches", c: "author" });
    expect(planned.steps.flatMap(({ skipped }) => (skipped ? renderSkipReason(skipped) : []))).toEqual([
      "`build.tag != null` is false",
      "the branch does not match `release/*`",
      "later",
    ]);
  });
  test("see the variables of the build and of the file", () => {
    expect(
      skips(
        plan(
          'env: { A: "1" }\nsteps:\n  - { command: x, key: a, if: build.env("A") == "1" && build.env("FROM_BUILD") == "1" }',
        ),
      ),
    ).toEqual({});
  });
  test("never let a skipped step open the way past what it waited for", () => {
    const text =
      "- { block: G, key: g }\n- { wait: ~, key: w, if: 'false' }\n- { command: x, key: a }\n- { command: x, key: b, depends_on: w }";
    expect(edges(plan(text))).toMatchObject({ a: "g", b: "g" });
  });
  test("a way that allows failure does not loosen another one to the same step", () => {
    const text =
      "- { command: x, key: a }\n- { wait: ~, key: w, if: 'false', continue_on_failure: true }\n- { command: x, key: b, depends_on: [a, w] }";
    expect(edges(plan(text))["b"]).toBe("a");
  });
  test("never let an allowed failure open the way past a gate that nobody could open", () => {
    const text =
      "- { command: x, key: a }\n- { block: G, key: g }\n- { command: x, key: b }\n- { wait: ~, key: w, continue_on_failure: true }\n- { command: x, key: c, depends_on: g, allow_dependency_failure: true }";
    expect(edges(plan(text))).toEqual({ a: "", g: "a", b: "g", w: "g b?", c: "g" });
  });
  test("leave no gate and no deployment where nothing is published", () => {
    const text =
      "- { publish: ., key: p, if: 'false' }\n- deploy: test\n- { block: G, key: g }\n- wait\n- deploy: production";
    expect(skips(plan(text))).toEqual({
      p: "condition",
      "deploy-test": "nothing-published",
      g: "nothing-behind",
      "deploy-production": "nothing-published",
    });
  });
  test("leave a gate that nothing was ever behind, as it may be there for its own sake", () => {
    expect(skips(plan("- { command: x }\n- block: Read the report"))).toEqual({});
  });
});

test("variables of a step win over those of the file, and those over the build's", () => {
  const planned = plan("env: { BOTH: file, TWO: file }\nsteps:\n  - { command: x, env: { TWO: step } }");
  expect(planned.steps[0]).toMatchObject({ env: { FROM_BUILD: "1", BOTH: "file", TWO: "step" } });
});

test("a plan is plain JSON", () => {
  const planned = plan("- { publish: . }\n- deploy: test\n- block: G\n- { command: x, if: 'false' }");
  expect(JSON.parse(JSON.stringify(planned))).toEqual(planned);
});

describe("the default pipeline", () => {
  test("has no faults and goes from tests to production", () => {
    expect(lintPipeline(defaultPipeline(true))).toEqual([]);
    expect(lintPipeline(defaultPipeline(false))).toEqual([]);
    const planned = planPipeline(defaultPipeline(true), context);
    expect(planned.steps.map(({ key }) => key)).toEqual([
      "test",
      "wait",
      "publish",
      "deploy-test",
      "deploy-to-production",
      "deploy-production",
    ]);
    expect(skips(planned)).toEqual({});
  });
  test("only tests on other branches", () => {
    const planned = planPipeline(defaultPipeline(true), branch);
    expect(planned.steps.filter(({ skipped }) => !skipped).map(({ key }) => key)).toEqual(["test", "wait"]);
  });
});

test("the variables of a build have our names and Buildkite's", () => {
  expect(buildVariables(branch)).toMatchObject({
    CI: "true",
    TOWLINE_BRANCH: "feature/x",
    BUILDKITE_BRANCH: "feature/x",
    BUILDKITE_PULL_REQUEST: "7",
    BUILDKITE_TAG: "",
  });
  expect(buildVariables(context)).toMatchObject({ BUILDKITE_PULL_REQUEST: "false", TOWLINE_BUILD_NUMBER: "12" });
});

describe("groups", () => {
  test("run side by side, and a `wait` in one holds up nobody outside", () => {
    const text = `
- { command: x, key: first }
- wait
- group: one
  steps: [{ command: x, key: a }, wait, { command: x, key: b }]
- group: two
  steps: [{ command: x, key: c }, { wait: ~, key: w }, { command: x, key: d }]
- { command: x, key: e }
- { wait: ~, key: end }`;
    expect(edges(plan(text))).toEqual({
      first: "",
      wait: "first",
      a: "wait",
      "wait-2": "wait a",
      b: "wait-2",
      c: "wait",
      w: "wait c",
      d: "w",
      e: "wait",
      end: "wait a wait-2 b c w d e",
    });
  });
  test("are depended on as a whole, and what they depend on counts for each of their steps", () => {
    const text = `
- { command: x, key: t }
- { group: g, key: g, depends_on: t, allow_dependency_failure: true, steps: [{ command: x, key: a }, { command: x, key: b, depends_on: a }] }
- { command: x, key: c, depends_on: [{ step: g, allow_failure: true }] }`;
    expect(edges(plan(text))).toEqual({ t: "", a: "t?", b: "t? a", c: "a? b?" });
  });
  test("hand their conditions to their steps", () => {
    const text = `
- { group: g, if: build.tag != null, steps: [{ command: x, key: a }, { command: x, key: b, if: "true" }] }
- { group: h, skip: broken, steps: [{ command: x, key: c }] }
- { group: i, if_changed: docs/**, steps: [{ command: x, key: d }] }`;
    expect(skips(plan(text, { ...context, changedFiles: ["src/a.ts"] }))).toEqual({
      a: "condition",
      b: "condition",
      c: "author",
      d: "unchanged",
    });
  });
  test("do not hide a step from a deployment: it waits for all above its group", () => {
    const text = `
- { publish: ., key: p }
- { group: tests, steps: [{ command: x, key: t }] }
- { group: ship, steps: [{ block: Go, key: go }, { deploy: test, key: d }, { command: x, key: smoke }] }
- { deploy: production, key: prod }`;
    expect(edges(plan(text))).toEqual({ p: "", t: "", go: "", d: "p t go", smoke: "d", prod: "p t go d smoke" });
  });
  test("show their key and name on each planned step", () => {
    expect(plan("- { group: G, key: k, if: 'true', steps: [wait] }").steps[0]).toMatchObject({
      group: { key: "k", label: "G" },
    });
  });
});

describe("jobs of one step", () => {
  test("are waited for together under the key that was written, or one by one", () => {
    const text = `
- { command: x, key: m, matrix: [a, b] }
- { command: x, key: all, depends_on: m }
- { command: x, key: one, depends_on: m/b }
- { command: x, key: p, parallelism: 2, depends_on: [{ step: m, allow_failure: true }] }
- { wait: ~, key: w }`;
    expect(edges(plan(text))).toEqual({
      "m/a": "",
      "m/b": "",
      all: "m/a m/b",
      one: "m/b",
      "p/1": "m/a? m/b?",
      "p/2": "m/a? m/b?",
      w: "m/a m/b all one p/1 p/2",
    });
  });
  test("are skipped one by one by an adjustment", () => {
    const text =
      "- { command: x, key: m, matrix: { setup: [a, b], adjustments: [{ with: a, skip: slow }] } }\n- { command: x, key: n, depends_on: m }";
    expect(skips(plan(text))).toEqual({ "m/a": "author" });
    expect(edges(plan(text))["n"]).toBe("m/b");
  });
});

describe("an input step", () => {
  test("waits as a command does, and only what names it waits for it", () => {
    const text =
      "- { command: x, key: a }\n- wait\n- { input: Name?, key: i }\n- { command: x, key: b }\n- { command: x, key: c, depends_on: i }\n- { wait: ~, key: w }";
    expect(edges(plan(text))).toEqual({ a: "", wait: "a", i: "wait", b: "wait", c: "i", w: "wait i b c" });
  });
  test("asks for nothing when all that waits for it is skipped", () => {
    expect(
      skips(plan("- { input: Name?, key: i }\n- { command: x, key: b, depends_on: i, if: 'false' }")),
    ).toMatchObject({ i: "nothing-behind" });
  });
});

describe("if_changed", () => {
  const text = `
- { command: x, key: a, if_changed: "src/**" }
- { command: x, key: b, if_changed: ["*.md", "docs/**"] }
- { command: x, key: c, if_changed: { include: "**", exclude: ["docs/**", "*.md"] } }
- { block: G, key: g, if_changed: "src/**" }`;
  test("leaves out the steps of which no file has changed", () => {
    expect(skips(plan(text, { ...context, changedFiles: ["docs/a/b.md"] }))).toEqual({
      a: "unchanged",
      c: "unchanged",
      g: "unchanged",
    });
    expect(skips(plan(text, { ...context, changedFiles: [] }))).toEqual({
      a: "unchanged",
      b: "unchanged",
      c: "unchanged",
      g: "unchanged",
    });
    expect(renderSkipReason({ kind: "unchanged", include: ["*.md", "docs/**"] })).toBe(
      "no changed file is in `*.md`, `docs/**`",
    );
  });
  test("leaves out nothing when the changes are not known, or are too many to look at", () => {
    expect(skips(plan(text))).toEqual({});
    const many = Array.from({ length: 10_000 }, (_, index) => `${"folder/".repeat(20)}${index}`);
    expect(skips(plan("- { command: x, key: a, if_changed: '**/*.go' }", { ...context, changedFiles: many }))).toEqual(
      {},
    );
  });
});

test("a step that nothing knows is skipped with that reason, and holds up nobody", () => {
  const planned = plan(
    "- { command: x, key: a }\n- { llama: Kuzco, key: u, depends_on: a }\n- { command: x, key: b, depends_on: u }",
  );
  expect(skips(planned)).toEqual({ u: "unknown-step" });
  expect(edges(planned)["b"]).toBe("a");
});

test("`if_changed` of the whole file counts for every step, beside its own", () => {
  const text =
    "if_changed: { include: 'api/**', exclude: '**.md' }\nsteps:\n  - { key: a, command: a }\n  - { key: b, command: b, if_changed: 'api/b/**' }\n  - wait";
  const given = (...changedFiles: string[]) => skips(plan(text, { ...context, changedFiles }));
  expect(given("api/a.js")).toEqual({ b: "unchanged" });
  expect(given("api/b/b.js")).toEqual({});
  expect(given("api/b/README.md", "web/x")).toEqual({ a: "unchanged", b: "unchanged", wait: "unchanged" });
  expect(skips(plan(text))).toEqual({});
});

test("deployments of a matrix stand one behind the other", () => {
  const text =
    "- { key: image, publish: . }\n- { key: go, deploy: '{{matrix}}', matrix: [eu, us] }\n- { key: x, command: x, depends_on: go }";
  expect(edges(plan(text))).toEqual({ image: "", "go/eu": "image", "go/us": "go/eu", x: "go/eu go/us" });
});
