import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderFault } from "./fault.ts";
import { parsePipeline } from "./pipeline-file.ts";
import type { Step } from "./step.ts";

const parse = (text: string, variables?: Record<string, string>) =>
  parsePipeline({ file: "p.yml", text, ...(variables ? { variables } : {}) });

function steps(text: string, variables?: Record<string, string>): Step[] {
  const parsed = parse(text, variables);
  if (parsed.errors) throw new Error(parsed.errors.map(renderFault).join("\n"));
  return parsed.value.steps;
}

const faults = (text: string) =>
  parse(text).errors?.map(({ code, place, fix }) => `${code} ${place.line}:${place.column}${fix ? ` ${fix}` : ""}`);
const warnings = (text: string) =>
  parse(text).warnings.map(({ code, place }) => `${code} ${place.line}:${place.column}`);

describe("forms of a file", () => {
  test("a map with steps, a bare list and JSON say the same", () => {
    const first = ({ place: _, ...step }: Step) => step;
    const forms = [
      "steps:\n  - command: make",
      "- command: make",
      '{"steps":[{"command":"make"}]}',
      '[{"command":"make"}]',
    ];
    expect(new Set(forms.map((text) => JSON.stringify(steps(text).map(first)))).size).toBe(1);
  });
  test("anchors and merges serve as templates", () => {
    const text =
      "common: &common\n  timeout_in_minutes: 5\n  agents: { queue: big }\nsteps:\n  - <<: *common\n    command: a\n  - <<: *common\n    command: b";
    expect(steps(text)).toMatchObject([
      { commands: ["a"], timeoutMs: 300_000, agents: { queue: "big" } },
      { commands: ["b"], timeoutMs: 300_000 },
    ]);
  });
  test("image, priority and cache at the top count where a step has none of its own", () => {
    const text =
      "image: 'node:24'\npriority: 5\ncache: dist\nsteps:\n  - { command: x }\n  - { command: x, image: 'go:1', priority: 0, cache: bin }\n  - publish: .";
    expect(steps(text)).toMatchObject([
      { image: "node:24", priority: 5, cache: { paths: ["dist"] } },
      { image: "go:1", priority: 0, cache: { paths: ["bin"] } },
      { kind: "publish", priority: 5 },
    ]);
    expect(steps(text)[2]).not.toHaveProperty("cache");
    expect(steps(text)[2]).not.toHaveProperty("image");
  });
  test("env and agents at the top count for every step", () => {
    const parsed = parse(
      "env: { A: 1, B: ~ }\nagents: { queue: q, os: linux }\nsteps:\n  - { command: x, agents: { os: mac } }\n  - wait",
    );
    expect(parsed.value).toMatchObject({
      env: { A: "1", B: "" },
      steps: [{ agents: { queue: "q", os: "mac" } }, { kind: "wait" }],
    });
  });
});

describe("steps", () => {
  test("command steps take one or many lines under three names", () => {
    expect(
      steps("- { command: a }\n- { commands: [a, b] }\n- { script: 'a' }\n- { command: ~, label: nothing }"),
    ).toMatchObject([
      { kind: "command", commands: ["a"] },
      { commands: ["a", "b"] },
      { commands: ["a"] },
      { commands: [] },
    ]);
  });
  test("all keys of a command step are read", () => {
    const text = `
- name: ":docker: Build it"
  identifier: build
  command: make
  env: { A: true, B: 1.10 }
  timeout_in_minutes: 1.5
  soft_fail: [{ exit_status: 1 }, { exit_status: 3 }]
  retry: { automatic: [{ exit_status: -1, limit: 3 }, { exit_status: [1, 2] }], manual: { allowed: false, reason: no } }
  image: node:24
  agents: ["queue=big", "os=linux"]
  artifact_paths: "a/*;b"
  branches: "main release/*"
  if: build.tag == null
  cancel_on_build_failing: true
  allow_dependency_failure: true
- { command: x, depends_on: [{ step: build, allow_failure: true }, build] }
- { command: y, depends_on: build, soft_fail: [{ exit_status: "*" }], retry: { automatic: true } }
- { command: z, depends_on: ~, skip: not now }`;
    const [first, ...rest] = steps(text);
    expect(first).toEqual({
      kind: "command",
      key: "build",
      step: "build",
      label: ":docker: Build it",
      place: { file: "p.yml", line: 2, column: 3 },
      commands: ["make"],
      env: { A: "true", B: "1.10" },
      timeoutMs: 90_000,
      softFail: [1, 3],
      retry: {
        automatic: [
          { exitStatus: [-1], limit: 3 },
          { exitStatus: [1, 2], limit: 2 },
        ],
        manual: { allowed: false, reason: "no", permitOnPassed: true },
      },
      image: "node:24",
      agents: { queue: "big", os: "linux" },
      artifactPaths: ["a/*", "b"],
      branches: "main release/*",
      if: "build.tag == null",
      cancelOnBuildFailing: true,
      allowDependencyFailure: true,
      plugins: [],
      secrets: {},
      notify: [],
    });
    expect(rest).toMatchObject([
      {
        dependsOn: [
          { step: "build", allowFailure: true },
          { step: "build", allowFailure: false },
        ],
      },
      {
        dependsOn: [{ step: "build", allowFailure: false }],
        softFail: true,
        retry: { automatic: [{ exitStatus: "*", limit: 2 }] },
      },
      { dependsOn: [], skip: "not now" },
    ]);
  });
  test("wait and block take a scalar or a map", () => {
    expect(
      steps(
        "- wait\n- wait: ~\n  continue_on_failure: true\n- waiter\n- type: wait\n- block\n- block: Go?\n  prompt: Sure?\n  allowed_roles: lead\n- manual: Release",
      ),
    ).toMatchObject([
      { kind: "wait", key: "wait", continueOnFailure: false },
      { kind: "wait", key: "wait-2", continueOnFailure: true },
      { kind: "wait" },
      { kind: "wait" },
      { kind: "block", label: "block", roles: [] },
      { kind: "block", key: "go", label: "Go?", prompt: "Sure?", roles: ["lead"] },
      { kind: "block", label: "Release" },
    ]);
  });
  test("the native steps take their short and long forms", () => {
    const text = `
- test: { compose: compose.test.yml, run: unit, junit: "reports/*.xml" }
- publish: services/a
- publish: { context: b, dockerfile: b/Dockerfile, args: { BASE: "node:24" } }
- publish: ~
- wait
- deploy: test
  retry: { manual: false }`;
    expect(steps(text)).toMatchObject([
      { kind: "test", key: "test-unit", compose: "compose.test.yml", run: "unit", junit: "reports/*.xml" },
      { kind: "publish", context: "services/a", args: {} },
      { kind: "publish", context: "b", dockerfile: "b/Dockerfile", args: { BASE: "node:24" } },
      { kind: "publish", args: {} },
      { kind: "wait" },
      { kind: "deploy", key: "deploy-test", environment: "test", retry: { automatic: [], manual: { allowed: false } } },
    ]);
  });
  test("a step without key gets one from its label, that no other has", () => {
    expect(
      steps(
        "- { command: a, label: ':rocket: Ship it!' }\n- { command: b, label: Ship it }\n- { command: c, key: ship-it-3 }\n- { command: d, label: ship it }\n- { command: '!' }",
      ).map(({ key }) => key),
    ).toEqual(["ship-it", "ship-it-2", "ship-it-3", "ship-it-4", "command"]);
  });
});

describe("variables", () => {
  test("are filled in before the file is read, the file's own env from top to bottom", () => {
    const text =
      'env: { NAME: "${TOWLINE_BRANCH}-x", TAG: "$NAME-y" }\nsteps:\n  - command: echo $TAG $$HOME ${NONE:-d}\n    timeout_in_minutes: "${T:-5}"';
    const parsed = parse(text, { TOWLINE_BRANCH: "main" });
    expect(parsed.value).toMatchObject({
      env: { NAME: "main-x", TAG: "main-x-y" },
      steps: [{ commands: ["echo main-x-y $HOME d"], timeoutMs: 300_000 }],
    });
    expect(parsed.warnings).toEqual([]);
  });
  test("that are not known become empty, with a warning and its way out", () => {
    expect(parse("- command: |\n    for f in *; do echo $f; done").warnings).toMatchObject([
      {
        code: "pipeline.unset-variable",
        place: { line: 1, column: 12 },
        fix: "write `$$f` for the variable of the job's shell",
      },
    ]);
    expect(warnings("- command: echo $BUILDKITE_BRANCH $CI")).toEqual([]);
  });
  test("in a wrong form are errors", () => {
    expect(faults("- command: echo ${A")).toEqual(["pipeline.interpolation 1:12"]);
  });
});

describe("faults", () => {
  test("a key that nothing reads is kept with a warning, and with the key that was probably meant", () => {
    const text = "steps:\n  - command: a\n    comand_timeout: 3\n    lable: x";
    expect(faults(text)).toBeUndefined();
    expect(parse(text).warnings).toMatchObject([
      { code: "pipeline.unknown-key", place: { line: 3, column: 5 } },
      { code: "pipeline.unknown-key", place: { line: 4, column: 5 }, fix: "did you mean `label`?" },
    ]);
  });
  test("a slip in one of our own steps, or in who may open a gate, is an error", () => {
    expect(faults("- publish: .\n- { deploy: test, dependson: x }")).toEqual([
      "shape.unknown-key 2:19 did you mean `depends_on`?",
    ]);
    expect(faults("- { block: Go, alowed_roles: [lead] }")).toEqual([
      "shape.unknown-key 1:16 did you mean `allowed_roles`?",
    ]);
  });
  test.each(["inputs", "plugins", "cache"])("%s of a publish step is refused and never silently ignored", (key) => {
    expect(faults(`- publish: .\n  ${key}: [a]`)).toEqual([`pipeline.not-supported 2:3 remove \`${key}\``]);
  });
  test.each([
    ["/src/**", "leave out `/`, `./` and `../` at its beginning"],
    ["./src/**", "leave out `/`, `./` and `../` at its beginning"],
    ["a/../b", "leave out `/`, `./` and `../` at its beginning"],
    ["src/", "write `src/**`"],
    ["!src/*.md", "write `inputs: { files: […], exclude: […] }`"],
  ])("%s in `inputs` can fit no file, and would keep a result for ever", (glob, fix) => {
    expect(faults(`- command: a\n  inputs: ["${glob}"]`)).toEqual([`pipeline.glob 2:12 ${fix}`]);
    expect(faults(`- { command: a, inputs: { files: ["**"], exclude: ["${glob}"] } }`)).toEqual([
      `pipeline.glob 1:52 ${fix}`,
    ]);
  });
  test("a webhook needs an address; what nothing delivers is kept and said", () => {
    expect(faults("notify: [{ webhook: example }]\nsteps: [wait]")).toEqual(["pipeline.notification 1:21"]);
    expect(faults("notify: [{ webhook: 'http://a:b@example.com' }]\nsteps: [wait]")).toEqual([
      "pipeline.notification 1:21",
    ]);
    const text =
      "notify: [{ webhook: 'https://example.com' }, { slack: '#x' }]\nsteps: [{ command: x, notify: [github_check] }]";
    const { warnings } = parsePipeline({ file: "p.yml", text });
    expect(warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "pipeline.notification nothing delivers `slack` notifications",
      "pipeline.notification notifications of a single step or group are not delivered",
    ]);
  });
  test("keys at the top that are misspelt are told of, and others may hold anchors", () => {
    expect(faults("if_changed: '[x'\nsteps:\n  - wait")).toEqual(["pipeline.glob 1:13"]);
    expect(faults("stpes:\n  - wait")).toEqual(["shape.unknown-key 1:1 did you mean `steps`?"]);
    expect(warnings("agnets: {}\nsteps: [wait]")).toEqual(["pipeline.unknown-key 1:1"]);
    expect(parse("x-common: 1\nsteps: [wait]").warnings).toEqual([]);
  });
  test("a deployment is never tried again by itself", () => {
    expect(faults("- publish: .\n- deploy: test\n  retry: { automatic: true }")).toEqual([
      "shape.unknown-key 3:12 known are `manual`",
    ]);
    expect(faults("- publish: .\n- deploy: test\n  timeout_in_minutes: 3")).toEqual([
      "pipeline.not-supported 3:3 remove `timeout_in_minutes`",
    ]);
  });
  test("what no deployment can have is refused with the reason", () => {
    const { errors = [] } = parse("- publish: .\n- deploy: test\n  env: { A: b }\n  soft_fail: true");
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^`env` is no key of a deploy step: variables of a service stand in the file/),
      expect.stringMatching(/^`soft_fail` is no key of a deploy step: what stands behind/),
    ]);
    const soft = "matrix: { setup: [eu], adjustments: [{ with: eu, soft_fail: true }] }";
    expect(faults(`- publish: .\n- { deploy: "{{matrix}}", ${soft} }`)).toEqual([
      "pipeline.not-supported 2:76 remove `soft_fail`",
    ]);
  });
  test("a deployment with a matrix goes to several environments, one after the other", () => {
    const text =
      "- publish: .\n- { key: go, deploy: '{{matrix}}', matrix: [eu, us] }\n- { deploy: x, matrix: [a], depends_on: go }";
    const { value } = parse(text);
    expect(value?.steps.slice(1)).toMatchObject([
      { key: "go/eu", environment: "eu", matrix: { "": "eu" } },
      { key: "go/us", environment: "us" },
      { environment: "x" },
    ]);
    expect(faults("- publish: .\n- { deploy: '{{matrix}}', matrix: ['No Name'] }")).toHaveLength(1);
  });
  test("a step has one kind", () => {
    expect(faults("- { command: a, wait: ~ }")).toEqual(["pipeline.step-type 1:3 make two steps of it"]);
    expect(faults("- [x]\n- 3")).toEqual(["pipeline.step-type 1:3", "pipeline.step-type 2:3"]);
  });
  test("a misspelt step is an error: skipped with a warning, it would be a test that never ran", () => {
    expect(faults("- { comand: b }\n- wiat\n- { type: comand }")).toEqual([
      "pipeline.step-type 1:3 did you mean `command`?",
      "pipeline.step-type 2:3 did you mean `wait`?",
      "pipeline.step-type 3:3 did you mean `command`?",
    ]);
  });
  test("a step that nothing knows is kept with a warning and skipped in every build", () => {
    const text = "- { llama: Kuzco }\n- { llama: Kuzco, key: b }\n- make test\n- {}\n- { type: nap }";
    expect(steps(text).map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      "unknown unknown-step",
      "unknown b",
      "unknown unknown-step-2",
      "unknown unknown-step-3",
      "unknown unknown-step-4",
    ]);
    expect(parse(text).warnings.map(({ code, fix }) => `${code} ${fix}`)).toEqual([
      "pipeline.unknown-step add `command`, `wait`, `block`, `test`, `publish` or `deploy`",
      "pipeline.unknown-step add `command`, `wait`, `block`, `test`, `publish` or `deploy`",
      "pipeline.unknown-step add `command`, `wait`, `block`, `test`, `publish` or `deploy`",
      "pipeline.unknown-step add `command`, `wait`, `block`, `test`, `publish` or `deploy`",
      "pipeline.unknown-step add `command`, `wait`, `block`, `test`, `publish` or `deploy`",
    ]);
  });
  test("conditions are checked with the character at which they go wrong", () => {
    expect(faults("- command: a\n  if: build.brnch == 'x'")).toEqual([
      "pipeline.condition 2:7 did you mean `build.branch`?",
    ]);
    expect(faults("- command: a\n  if: build.branch = 'x'")).toEqual(["pipeline.condition 2:20 compare with `==`"]);
  });
  test("all faults of all steps are reported", () => {
    expect(
      faults(
        "- { command: [{}] }\n- { deploy: Test }\n- { test: { compose: ../x } }\n- { command: a, timeout_in_minutes: 0, key: 'a b' }",
      ),
    ).toEqual([
      "shape.wrong-type 1:15",
      "shape.wrong-value 2:13",
      "shape.missing-key 3:11 add `run:`",
      "shape.wrong-value 3:22",
      "shape.wrong-value 4:37",
      "shape.wrong-value 4:45",
    ]);
  });
  test.each(["", "x", "3", "steps: {}", "steps: wait"])("%j is an error and not a crash", (text) => {
    expect(faults(text)?.[0]).toMatch(/^shape\./);
  });
  test.each(["steps:", "steps: []", "[]", "env: { A: b }", "env: ~\nsteps: ~", "{}"])(
    "%j has no steps: Buildkite takes it, and so does this, with a warning",
    (text) => {
      expect(steps(text)).toEqual([]);
      expect(warnings(text)[0]).toMatch(/^pipeline\.no-steps/);
    },
  );
});

test("no text makes the parser throw", () => {
  const piece = fc.constantFrom(
    "steps:\n",
    "- ",
    "  ",
    "wait",
    "command: a",
    "\n",
    "block: ",
    "deploy: test",
    "publish: .",
    "if: ",
    "build.branch",
    "depends_on: ",
    "[",
    "]",
    "key: a",
    "$",
    "${",
    "{",
    "}",
    "env:",
    "retry: ",
    ": ",
    "~",
  );
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, (source) => {
      const parsed = parse(source);
      expect(parsed.errors?.length ?? parsed.value?.steps.length).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 1500 },
  );
});
