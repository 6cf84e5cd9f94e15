/**
 * What Buildkite's own pipeline schema and parser take and refuse, in our words: a team that brings its files must find that they
 * mean what they meant. Files in which steps share a key or wait for one that is not there pass a schema and no build; here
 * every key is there once.
 */
import { describe, expect, test } from "vitest";
import { renderFault } from "./fault.ts";
import { readPipeline } from "./pipeline-file.ts";
import type { Step } from "./step.ts";

function steps(text: string, variables: Record<string, string> = {}): Step[] {
  const { value, errors } = readPipeline({ file: "p.yml", text, variables });
  if (errors) throw new Error(errors.map(renderFault).join("\n"));
  return value.steps;
}

const kinds = (text: string) => steps(text).map(({ kind }) => kind);
const before = "- { command: x, key: one }\n- { command: x, key: two }\n";

describe("command steps", () => {
  test("are known by their key, by `type`, by the value of the key, or by plugins alone", () => {
    const text = `
- type: script
- command: a.sh
- { type: script, command: a.sh }
- { type: command, command: a.sh }
- { type: commands, command: a.sh }
- command: { command: a.sh, label: inner }
- script: { command: a.sh }
- commands: { command: a.sh }
- plugins: [{ "a-plugin#v1.0.0": { run: app } }]
- command`;
    expect(new Set(kinds(text))).toEqual(new Set(["command"]));
    const commands = steps(text).map((step) => ("commands" in step ? step.commands.join() : ""));
    expect(commands).toEqual(["", "a.sh", "a.sh", "a.sh", "a.sh", "a.sh", "a.sh", "a.sh", "", ""]);
    expect(steps(text)[5]?.label).toBe("inner");
  });
  test("take one line, several lines or a list, under `command` and `commands`", () => {
    const text =
      '- { command: echo a }\n- { command: [echo a] }\n- { command: "echo a\\necho b\\n" }\n- { commands: [echo a, echo b] }\n- { commands: echo a }';
    expect(steps(text).map((step) => ("commands" in step ? step.commands : []))).toEqual([
      ["echo a"],
      ["echo a"],
      ["echo a\necho b\n"],
      ["echo a", "echo b"],
      ["echo a"],
    ]);
  });
  test("take every option in every form", () => {
    const text = `
${before}- { command: x, agents: { os: macOS } }
- { command: x, agents: ["os=macOS", "xcode=true"] }
- { command: x, artifact_paths: [a, b] }
- { command: x, artifact_paths: "a;b" }
- { command: x, branches: "master deploy-*" }
- { command: x, branches: [feature/*, chore/*] }
- { command: x, concurrency: 1, concurrency_group: my-group, concurrency_method: eager }
- { command: x, env: { AN_ENV: value, NUMBER: 1, NONE: ~ } }
- { command: x, id: by-id }
- { command: x, identifier: by-identifier }
- { command: x, parallelism: 42 }
- { command: x, retry: { automatic: [{ exit_status: -1, signal_reason: none }, { signal: kill }, { exit_status: 3, limit: 3 }] } }
- { command: x, retry: { automatic: { exit_status: -1 }, manual: { permit_on_passed: true } } }
- { command: x, retry: { automatic: true, manual: false } }
- { command: x, skip: true }
- { command: x, skip: Skipped }
- { command: x, skip: "" }
- { command: x, timeout_in_minutes: 40 }
- { command: x, soft_fail: true }
- { command: x, soft_fail: false }
- { command: x, soft_fail: [{ exit_status: 1 }] }
- { command: x, soft_fail: [{ exit_status: "*" }] }
- { command: x, if: build.message !~ /skip tests/ }
- { command: x, depends_on: one }
- { command: x, depends_on: [one, two] }
- { command: x, depends_on: [{ step: one }, { step: two }] }
- { command: x, depends_on: [one, { step: two, allow_failure: true }] }
- { command: x, depends_on: ~ }
- { command: x, allow_dependency_failure: true }
- { command: x, priority: -1 }
- { command: x, priority: 100 }
- { command: x, cancel_on_build_failing: true }
- { command: x, cache: [dist/, ./src/target/] }
- { command: x, cache: dist/ }
- { command: x, cache: { name: cool-cache, size: 20g, paths: [/path/one, /path/two] } }
- { command: x, image: "node:24", signature: { value: none, algorithm: HS256, signed_fields: [command] } }`;
    const found = steps(text).filter(({ key }) => !/^x-?\d*\/\d+$/.test(key));
    const at = (line: number) => found.find(({ place }) => place.line === line);
    expect(at(4)).toMatchObject({ agents: { os: "macOS" } });
    expect(at(5)).toMatchObject({ agents: { os: "macOS", xcode: "true" } });
    expect([at(6), at(7)]).toMatchObject([{ artifactPaths: ["a", "b"] }, { artifactPaths: ["a", "b"] }]);
    expect([at(8), at(9)]).toMatchObject([{ branches: "master deploy-*" }, { branches: "feature/* chore/*" }]);
    expect(at(10)).toMatchObject({ concurrency: { group: "my-group", limit: 1, method: "eager" } });
    expect(at(11)).toMatchObject({ env: { AN_ENV: "value", NUMBER: "1", NONE: "" } });
    expect([at(12)?.key, at(13)?.key]).toEqual(["by-id", "by-identifier"]);
    expect(steps(text).filter(({ place }) => place.line === 14)).toHaveLength(42);
    expect(at(15)).toMatchObject({
      retry: {
        automatic: [
          { exitStatus: [-1], signalReason: "none", limit: 2 },
          { exitStatus: "*", signal: "kill", limit: 2 },
          { exitStatus: [3], limit: 3 },
        ],
      },
    });
    expect(at(16)).toMatchObject({ retry: { automatic: [{ exitStatus: [-1] }], manual: { permitOnPassed: true } } });
    expect(at(17)).toMatchObject({ retry: { automatic: [{ exitStatus: "*" }], manual: { allowed: false } } });
    expect([at(18)?.skip, at(19)?.skip, at(20)?.skip]).toEqual(["", "Skipped", undefined]);
    expect(at(21)).toMatchObject({ timeoutMs: 2_400_000 });
    expect([at(22), at(23), at(24), at(25)]).toMatchObject([
      { softFail: true },
      { softFail: false },
      { softFail: [1] },
      { softFail: true },
    ]);
    expect([at(27), at(28), at(29), at(30), at(31)].map((step) => step?.dependsOn?.length)).toEqual([1, 2, 2, 2, 0]);
    expect([at(33), at(34)]).toMatchObject([{ priority: -1 }, { priority: 100 }]);
    expect([at(36), at(37), at(38)]).toMatchObject([
      { cache: { paths: ["dist/", "./src/target/"] } },
      { cache: { paths: ["dist/"], key: "dist/" } },
      { cache: { paths: ["/path/one", "/path/two"], key: "cool-cache", size: 20 * 2 ** 30 } },
    ]);
  });
  test("take `parallelism` from a variable", () => {
    expect(steps("- { command: x, key: t, parallelism: $N }", { N: "3" })).toHaveLength(3);
  });
});

describe("plugins", () => {
  test("keep their order, as a map, a list of maps or a list of names", () => {
    const config = { run: "app", config: "c.yml", env: ["A", "B"] };
    const sources = (text: string) => steps(text).map((step) => ("plugins" in step ? step.plugins : []));
    const text = `
- { command: x, plugins: { "z/role#v0.1.0": { role: r }, "ecr#v1": ~, "docker-compose#v2.5.1": ${JSON.stringify(config)} } }
- { command: x, plugins: ["example#v1.0.0", "./folder", { "docker-compose#v2.5.1": ${JSON.stringify(config)} }] }
- { command: x, plugin: "one#v1" }`;
    expect(sources(text)).toEqual([
      [
        { source: "z/role#v0.1.0", config: { role: "r" } },
        { source: "ecr#v1", config: null },
        { source: "docker-compose#v2.5.1", config },
      ],
      [
        { source: "example#v1.0.0", config: null },
        { source: "./folder", config: null },
        { source: "docker-compose#v2.5.1", config },
      ],
      [{ source: "one#v1", config: null }],
    ]);
  });
  test("have variables filled in, in their names too", () => {
    const text = `
env: { VERSION: v2.7.0, ACCOUNT: "0123456789" }
steps:
  - { command: x, plugins: [{ ecr#$VERSION: { login: true, account_ids: "$ACCOUNT" } }] }`;
    expect(steps(text)).toMatchObject([
      { plugins: [{ source: "ecr#v2.7.0", config: { login: true, account_ids: "0123456789" } }] },
    ]);
  });
});

describe.each(["block", "input"])("%s steps", (kind) => {
  test("are a word, a key with or without a label, a map under the key, or a `type`", () => {
    const text = `
- ${kind}
- ${kind}: A label
- ${kind}: { fields: [{ text: Field 1, key: field-1 }], key: inner }
- { type: ${kind}, label: A label, fields: [{ text: Field 1, key: field-1 }] }
- { ${kind}: ~, prompt: A prompt, branches: master, id: an-id, if: build.message !~ /skip/, allow_dependency_failure: true }
- { ${kind}: A label, allowed_teams: [lead, analyst] }`;
    expect(steps(text)).toMatchObject([
      { kind, label: kind },
      { kind, label: "A label" },
      { kind, key: "inner", fields: [{ key: "field-1", label: "Field 1" }] },
      { kind, label: "A label", fields: [{}] },
      { kind, key: "an-id", prompt: "A prompt", branches: "master" },
      { kind, roles: ["lead", "analyst"] },
    ]);
  });
  test("ask for texts and selects", () => {
    const text = `
- ${kind}: A label
  fields:
    - { text: Field 1, key: field-1 }
    - { text: Field 2, key: _field_2, required: false, default: Filled, hint: Hint, format: "[A-Z].*" }
    - { select: Select 1, key: 1select, options: [{ label: One, value: one }, { label: Two, value: two }] }
    - { select: Select 2, key: -select/2, multiple: true, required: false, default: [one, two], options: [{ label: One, value: one, hint: h }, { label: Two, value: two }] }`;
    expect(steps(text)).toMatchObject([
      {
        fields: [
          { kind: "text", key: "field-1", label: "Field 1", required: true },
          { kind: "text", key: "_field_2", required: false, default: "Filled", hint: "Hint", format: "[A-Z].*" },
          {
            kind: "select",
            key: "1select",
            multiple: false,
            default: [],
            options: [{ value: "one" }, { value: "two" }],
          },
          { kind: "select", multiple: true, default: ["one", "two"], required: false },
        ],
      },
    ]);
  });
  test("depend on steps as all others do", () => {
    const text = `${before}- { ${kind}: a, depends_on: one }\n- { ${kind}: b, depends_on: [one, { step: two, allow_failure: true }] }\n- { ${kind}: c, depends_on: ~ }`;
    expect(
      steps(text)
        .slice(2)
        .map(({ dependsOn }) => dependsOn?.length),
    ).toEqual([1, 2, 0]);
  });
});

test("`manual` is an older word for block, and `blocked_state` is kept", () => {
  expect(steps("- manual: Go\n- { block: Go, blocked_state: failed }\n- manual")).toMatchObject([
    { kind: "block", label: "Go", blockedState: "passed" },
    { kind: "block", blockedState: "failed" },
    { kind: "block" },
  ]);
});

test("wait steps are a word, a key, a map under the key, or a `type`, under both names", () => {
  const text = `
${before}- wait
- waiter
- type: wait
- type: waiter
- { wait: ~, continue_on_failure: true }
- { waiter: ~, continue_on_failure: true }
- wait: { continue_on_failure: true }
- waiter: { continue_on_failure: true }
- { type: waiter, id: an-id }
- { type: waiter, if: build.message !~ /skip tests/ }
- { type: waiter, depends_on: [one, { step: two }], allow_dependency_failure: true }`;
  const found = steps(text).slice(2);
  expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(["wait"]));
  expect(found.map((step) => step.kind === "wait" && step.continueOnFailure)).toEqual([
    ...[false, false, false, false, true, true, true, true, false, false, false],
  ]);
});

test("trigger steps start another pipeline with a build of its own", () => {
  const text = `
- trigger: a-slug
- { type: trigger, trigger: a-slug }
- { trigger: a-slug, async: true, branches: a-branch, label: Triggered, soft_fail: true }
- trigger: a-slug
  build: { message: A message, commit: HEAD, branch: A branch, meta_data: { a-key: a-val }, env: { SOME_ENV: some val } }
- trigger: { trigger: a-slug, key: nested }
- { trigger: a-slug, key: three, parallelism: 3, if_changed: "src/**" }`;
  expect(steps(text)).toMatchObject([
    { kind: "trigger", pipeline: "a-slug", async: false, build: { env: {}, metaData: {} }, softFail: false },
    { kind: "trigger" },
    { async: true, branches: "a-branch", label: "Triggered", softFail: true },
    {
      build: {
        message: "A message",
        commit: "HEAD",
        branch: "A branch",
        metaData: { "a-key": "a-val" },
        env: { SOME_ENV: "some val" },
      },
    },
    { key: "nested", pipeline: "a-slug" },
    { key: "three/1", build: { env: { BUILDKITE_PARALLEL_JOB: "0", BUILDKITE_PARALLEL_JOB_COUNT: "3" } } },
    { key: "three/2" },
    { key: "three/3" },
  ]);
});

test("groups hold steps in all their forms", () => {
  const text = `
${before}- { group: Tests, steps: [{ command: x }] }
- { type: group, label: Tests, steps: [{ command: x }] }
- { type: group, name: Tests, steps: [{ command: x }] }
- { group: ~, label: Tests, steps: [{ command: x }] }
- { group: Tests, id: an-id, depends_on: one, steps: [{ command: x }] }
- { group: Tests, steps: [wait, { key: w1, type: wait }, { wait: { key: w2, type: wait } }] }
- { group: Tests, steps: [input, { input: A label }, { key: i1, type: input }, { input: { key: i2, type: input } }] }
- { group: Tests, if: build.message !~ /skip/, allow_dependency_failure: true, notify: [{ email: dev@example.com }], steps: [{ command: x }] }
- { group: "$NAME", steps: [{ command: "hello $NAME" }, wait, { block: bye }] }`;
  const found = steps(text, { NAME: "friend" }).slice(2);
  expect(found.every(({ group }) => group !== undefined)).toBe(true);
  expect(found.map(({ kind }) => kind).join(" ")).toBe(
    "command command command command command wait wait wait input input input input command command wait block",
  );
  expect(found.at(-3)).toMatchObject({ group: { label: "friend" }, commands: ["hello friend"] });
});

test("a matrix is a list, a list with adjustments, or dimensions whose names may begin with a digit", () => {
  const text = `
- { command: "echo {{matrix}}", label: "{{matrix}}", key: a, matrix: [one, two] }
- { command: "echo {{matrix}}", key: b, matrix: { setup: [one, two], adjustments: [{ with: [three], skip: true }] } }
- command: "echo {{matrix.color}} {{matrix.shape}}"
  key: c
  matrix:
    setup: { color: [green, blue], shape: [triangle, hexagon] }
    adjustments:
      - { with: { color: blue, shape: triangle }, skip: true }
      - { with: { color: green, shape: triangle }, skip: "look, hexagons are better" }
      - with: { color: purple, shape: octagon }
- { group: g, steps: [{ command: "{{matrix.123color}}", key: d, matrix: { setup: { 123color: [green] } } }] }
- { command: "{{matrix.color_123}}", key: e, matrix: { setup: { color_123: [green, blue] } } }`;
  expect(steps(text).map(({ key, skip }) => (skip === undefined ? key : `(${key})`))).toEqual([
    ...["a/one", "a/two", "b/one", "b/two", "(b/three)"],
    ...["(c/green/triangle)", "c/green/hexagon", "(c/blue/triangle)", "c/blue/hexagon", "c/purple/octagon"],
    ...["d/green", "e/green", "e/blue"],
  ]);
});

test("`if_changed` takes a pattern, a list, or `include` with `exclude`", () => {
  const text = `
- { command: x, if_changed: "foo/**" }
- { command: x, if_changed: ["foo/**", "bar/**"] }
- { command: x, if_changed: { include: [api/**, internal/**], exclude: api/docs/** } }
- { command: x, if_changed: "{**.go,go.{mod,sum}}" }`;
  expect(steps(text).map(({ ifChanged }) => ifChanged)).toEqual([
    { include: ["foo/**"], exclude: [] },
    { include: ["foo/**", "bar/**"], exclude: [] },
    { include: ["api/**", "internal/**"], exclude: ["api/docs/**"] },
    { include: ["{**.go,go.{mod,sum}}"], exclude: [] },
  ]);
});
