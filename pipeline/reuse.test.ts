import { describe, expect, test } from "vitest";
import type { BuildContext } from "./build-context.ts";
import { readPipeline } from "./pipeline-file.ts";
import { planPipeline } from "./plan.ts";
import { reusable, type TreeFile } from "./reuse.ts";

const context: BuildContext = {
  build: { number: 1, branch: "main", commit: "a".repeat(40), message: "m", source: "push", env: {} },
  pipeline: { slug: "orders", defaultBranch: "main" },
};
const tree = (files: Record<string, string>): TreeFile[] => Object.entries(files).map(([path, id]) => ({ path, id }));
const files = {
  "src/a.ts": "1",
  "src/b.md": "2",
  "lock.json": "3",
  "compose.yml": "4",
  "tools/lint/hooks/command": "5",
};

function look(text: string, { of = tree(files), variables = {}, env = {} }: Look = {}) {
  const parsed = readPipeline({ file: "p.yml", text });
  if (parsed.errors) throw new Error(JSON.stringify(parsed.errors));
  const build = { ...context.build, env };
  return reusable(planPipeline(parsed.value, { ...context, build }).steps, of, variables);
}
interface Look {
  of?: TreeFile[];
  variables?: Record<string, string>;
  env?: Record<string, string>;
}
const basis = (text: string, given?: Look) => [...look(text, given).bases.values()][0];
const step = "- { key: unit, command: make, inputs: ['src/**', lock.json] }";

describe("the text of a step is another one when", () => {
  const before = basis(step);
  test.each([
    ["a file of its inputs changes", step, { of: tree({ ...files, "src/a.ts": "9" }) }],
    ["a file of its inputs goes", step, { of: tree({ "src/a.ts": "1", "lock.json": "3" }) }],
    ["a file comes that fits", step, { of: tree({ ...files, "src/c.ts": "9" }) }],
    ["a file is moved", step, { of: tree({ "src/b.ts": "1", "src/b.md": "2", "lock.json": "3" }) }],
    ["its command changes", step.replace("make", "make test"), {}],
    ["its image changes", step.replace("command", "image: 'node:24', command"), {}],
    ["its variables change", step.replace("command", "env: { A: b }, command"), {}],
    ["the build has variables of its own", step, { env: { FRESH: "1" } }],
    ["its agents are others", step.replace("command", "agents: { os: mac }, command"), {}],
    ["its plugins change", step.replace("command", "plugins: [docker#v5.0.0: { image: a }], command"), {}],
    ["it keeps other files", step.replace("command", "artifact_paths: dist/*, command"), {}],
    ["it gets other secrets", step.replace("command", "secrets: [TOKEN], command"), {}],
    ["its key is another", step.replace("unit", "other"), {}],
  ])("%s", (_, text, given) => {
    expect(basis(text, given)).toBeTruthy();
    expect(basis(text, given)).not.toBe(before);
  });
});

test("it stays the same whatever else changes, in whatever order things are written", () => {
  const before = basis("- { key: unit, command: make, env: { A: a, B: b }, inputs: ['src/**'] }");
  const other =
    "- { command: other }\n- { key: unit, command: make, env: { B: b, A: a }, inputs: ['src/**'], priority: 3 }";
  expect(basis(other, { of: tree({ ...files, "README.md": "9" }).toReversed() })).not.toBeUndefined();
  expect(basis(other, { of: tree({ ...files, "README.md": "9" }) })).toBe(before);
});

test("files may be left out, and variables of the build count where they are named", () => {
  const text = "- { key: unit, command: make, inputs: { files: 'src/**', exclude: '**.md', env: [BUILDKITE_BRANCH] } }";
  const before = basis(text, { variables: { BUILDKITE_BRANCH: "main", BUILDKITE_COMMIT: "a" } });
  expect(basis(text, { variables: { BUILDKITE_BRANCH: "main", BUILDKITE_COMMIT: "b" } })).toBe(before);
  expect(basis(text, { of: tree({ ...files, "src/b.md": "9" }), variables: { BUILDKITE_BRANCH: "main" } })).toBe(
    before,
  );
  expect(basis(text, { variables: { BUILDKITE_BRANCH: "other" } })).not.toBe(before);
  expect(basis(text)).not.toBe(before);
});

test("the Compose file of a test, and a plugin that stands in the repository, count without being named", () => {
  const compose = "- { key: t, test: { compose: compose.yml, run: unit }, inputs: 'src/**' }";
  expect(basis(compose, { of: tree({ ...files, "compose.yml": "9" }) })).not.toBe(basis(compose));
  const plugin = "- { key: t, command: make, plugins: [./tools/lint], inputs: 'src/**' }";
  expect(basis(plugin, { of: tree({ ...files, "tools/lint/hooks/command": "9" }) })).not.toBe(basis(plugin));
});

test("steps without inputs, skipped ones and those that publish have none", () => {
  const text = "- command: a\n- { command: b, inputs: '**', if: 'false' }\n- { publish: ., inputs: '**' }";
  expect(look(text).bases.size).toBe(0);
});

test("where no file fits at all nothing is used again, and a pattern that fits none is told once for all jobs", () => {
  const { bases, warnings } = look(
    "- { key: a, command: '{{matrix}}', matrix: [x, y], inputs: 'scr/**' }\n- { key: b, command: b, inputs: ['src/**', nothing] }",
  );
  expect([...bases.keys()]).toEqual(["b"]);
  expect(warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
    "pipeline.inputs `inputs` of x: no file of this commit fits `scr/**`",
    "pipeline.inputs `inputs` of b: no file of this commit fits `nothing`",
  ]);
});

test("patterns that cost more than a plan may are not answered, so that the steps run", () => {
  const many = tree(Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`${"a/".repeat(60)}${at}`, "1"])));
  const glob = "**a**a**a**a**b";
  expect(look(`- { key: a, command: a, inputs: '${glob}' }`, { of: many }).bases.size).toBe(0);
});
