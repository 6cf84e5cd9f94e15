/** What Buildkite takes and refuses of a file as a whole; see `buildkite.test.ts`. */
import { describe, expect, test } from "vitest";
import { renderFault } from "./fault.ts";
import { readPipeline } from "./pipeline-file.ts";
import type { Pipeline, Step } from "./step.ts";

function read(text: string, variables: Record<string, string> = {}): Pipeline {
  const { value, errors } = readPipeline({ file: "p.yml", text, variables });
  if (errors) throw new Error(errors.map(renderFault).join("\n"));
  return value;
}

const steps = (text: string, variables?: Record<string, string>): Step[] => read(text, variables).steps;
const errors = (text: string) => readPipeline({ file: "p.yml", text }).errors?.map(({ code }) => code);
const kinds = (text: string) => steps(text).map(({ kind }) => kind);

test("notifications name a service, by a word or with what it needs, and may have a condition", () => {
  const text = `
notify:
  - email: dev@example.com
  - { email: dev@example.com, if: "build.state == 'failed'" }
  - basecamp_campfire: https://basecamp.example/lines
  - slack: "#general"
  - slack: { channels: ["a#b", "#c"], message: News }
    if: build.state == "failed"
  - webhook: https://hooks.example/a
  - pagerduty_change_event: 636d22
  - github_check
  - github_commit_status
  - github_commit_status: { context: mine }
  - github_check: { name: Mine, output: { title: T, annotations: [{ path: a.js, start_line: 15 }] } }
steps:
  - { command: x, notify: [github_check, { slack: "@someone", if: step.outcome == "hard_failed" }] }`;
  const { notify, steps: found } = read(text);
  expect(notify.map(({ kind }) => kind)).toEqual([
    ...["email", "email", "basecamp_campfire", "slack", "slack", "webhook", "pagerduty_change_event"],
    ...["github_check", "github_commit_status", "github_commit_status", "github_check"],
  ]);
  expect(notify[4]).toEqual({
    kind: "slack",
    config: { channels: ["a#b", "#c"], message: "News" },
    if: 'build.state == "failed"',
  });
  expect(found[0]).toMatchObject({
    notify: [{ kind: "github_check", config: null }, { if: 'step.outcome == "hard_failed"' }],
  });
});

test("secrets are a list of names or a map, at the top and on steps", () => {
  const text = (secrets: string) => `
secrets: ${secrets}
steps:
  - { command: a }
  - { command: b, secrets: [OWN, TOKEN] }
  - { command: c, secrets: { MY_TOKEN: TOKEN } }`;
  const secretsOf = (source: string) => steps(source).map((step) => ("secrets" in step ? step.secrets : {}));
  expect(secretsOf(text("[GLOBAL]"))).toEqual([
    { GLOBAL: "GLOBAL" },
    { GLOBAL: "GLOBAL", OWN: "OWN", TOKEN: "TOKEN" },
    { GLOBAL: "GLOBAL", MY_TOKEN: "TOKEN" },
  ]);
  expect(secretsOf(text("{ A: B }"))[0]).toEqual({ A: "B" });
});

describe("files", () => {
  test("may hold nothing but variables, no steps, or empty ones", () => {
    expect(read("env: { AN_ENV: A value }")).toMatchObject({ env: { AN_ENV: "A value" }, steps: [] });
    for (const text of ["steps: null", "steps:\n\n", "steps: []", "---\nenv: null\nsteps: null"])
      expect(steps(text)).toEqual([]);
  });
  test("may be a list of steps, and JSON in either form", () => {
    expect(kinds("---\n- { name: Build, command: echo }\n- wait\n")).toEqual(["command", "wait"]);
    expect(steps('\n\n   \n { "steps": [{"command" : "bye ${NAME}"  } ] }\n', { NAME: "friend" })).toMatchObject([
      { commands: ["bye friend"] },
    ]);
    expect(steps('\n  [ { "command": "bye ${NAME}" } ]\n', { NAME: "friend" })).toMatchObject([
      { commands: ["bye friend"] },
    ]);
  });
  test("may keep templates under any key, and merge several", () => {
    const templates =
      "base: &base { type: script, agent_query_rules: [queue=default] }\nrest: &rest { name: ':docker: image', command: docker build . }\n";
    const expected = [
      { kind: "command", label: ":docker: image", agents: { queue: "default" }, commands: ["docker build ."] },
    ];
    expect(steps(`${templates}steps:\n  - { <<: *base, <<: *rest }`)).toMatchObject(expected);
    expect(steps(`${templates}steps:\n  - <<: [*base, *rest]`)).toMatchObject(expected);
    expect(steps("label: &l { label: Test }\nsteps:\n  - command: test\n    <<: *l")).toMatchObject([
      { label: "Test" },
    ]);
  });
  test("fill in variables in keys and values, the file's own first and from top to bottom", () => {
    const text =
      '{ "env": { "${FROM}TEST1": "MyTest", "TEST2": "${FROM}", "BOTH": "${TEST2} in ${YEAR}" }, "steps": [{ "command": "${BOTH}", "key": "k-${FROM}" }] }';
    const { env, steps: found } = read(text, { FROM: "llamas", YEAR: "1912" });
    expect(env).toEqual({ llamasTEST1: "MyTest", TEST2: "llamas", BOTH: "llamas in 1912" });
    expect(found).toMatchObject([{ key: "k-llamas", commands: ["llamas in 1912"] }]);
  });
  test("write the end of a line in a condition as `\\$` or `$$`", () => {
    const [first, second] = steps(
      "- { command: x, if: 'build.branch =~ /^(foo|bar)\\$/' }\n- { command: x, if: build.branch =~ /x$$/ }",
    );
    expect([first?.if, second?.if]).toEqual(["build.branch =~ /^(foo|bar)$/", "build.branch =~ /x$/"]);
  });
  test("keep what nobody knows: steps with a warning, values of any type", () => {
    const { value, warnings } = readPipeline({
      file: "p.yml",
      text: "- catawumpus\n- llama: Kuzco\n- { trigger: hello, async: true, llamas: 3.142 }\n- { trigger: hello, llamas: 2002-08-15T17:18:23.18-06:00 }",
    });
    expect(value?.steps.map(({ kind }) => kind)).toEqual(["unknown", "unknown", "trigger", "trigger"]);
    expect(warnings.map(({ code }) => code)).toEqual([
      ...["pipeline.unknown-step", "pipeline.unknown-step", "pipeline.unknown-key", "pipeline.unknown-key"],
    ]);
  });
});

describe("what Buildkite refuses is refused", () => {
  test.each([
    ["a key with blanks", "- { command: x, key: has spaces }", "shape.wrong-value"],
    ["a key of more than 100 characters", `- { command: x, key: ${"a".repeat(101)} }`, "shape.wrong-value"],
    ["a key twice in one map", "steps: []\nsteps: []", "yaml.duplicate-key"],
    ["broken YAML", "steps: %blah%", "yaml.syntax"],
    ["broken JSON", "{", "yaml.syntax"],
    ["a list that is not closed", "steps: [\n", "yaml.syntax"],
    ["a format that is no pattern", '- { input: R, fields: [{ text: V, key: v, format: "[" }] }', "pipeline.field"],
    ["a step that is a list", "- [x]", "pipeline.step-type"],
    ["`steps` that is no list", "steps: { a: b }", "shape.wrong-type"],
    ["an unknown rule of retry", "- { command: x, retry: { automatic: { exit: 1 } } }", "shape.unknown-key"],
    ["concurrency without its group", "- { command: x, concurrency: 1 }", "shape.missing-key"],
    ["a group without limit", "- { command: x, concurrency_group: g }", "shape.missing-key"],
  ])("%s", (_, text, code) => {
    expect(errors(text)?.[0]).toBe(code);
  });
});
