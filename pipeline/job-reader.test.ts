import { describe, expect, test } from "vitest";
import { renderFault } from "./fault.ts";
import { parsePipeline } from "./pipeline-file.ts";
import type { CommandStep, Step } from "./step.ts";

function jobs(text: string): Step[] {
  const parsed = parsePipeline({ file: "p.yml", text });
  if (parsed.errors) throw new Error(parsed.errors.map(renderFault).join("\n"));
  return parsed.value.steps;
}

const keys = (text: string): string[] => jobs(text).map(({ key }) => key);
const faults = (text: string): string[] =>
  parsePipeline({ file: "p.yml", text }).errors?.map(
    ({ code, message, place }) => `${code} ${place.line}: ${message}`,
  ) ?? [];

describe("a matrix", () => {
  test("makes a job of every value, with the value wherever the author put it", () => {
    const text = `
- key: rspec
  label: "rspec on {{matrix}}"
  command: make {{ matrix }}
  env: { RUBY: "{{matrix}}" }
  agents: { ruby: "{{matrix}}" }
  image: "ruby:{{matrix}}"
  artifact_paths: "out/{{matrix}}/*"
  timeout_in_minutes: "{{matrix}}"
  matrix: [3.3, "3.4"]`;
    expect(jobs(text)).toMatchObject([
      {
        key: "rspec/3.3",
        step: "rspec",
        label: "rspec on 3.3",
        commands: ["make 3.3"],
        env: { RUBY: "3.3" },
        agents: { ruby: "3.3" },
        image: "ruby:3.3",
        artifactPaths: ["out/3.3/*"],
        timeoutMs: 198_000,
        matrix: { "": "3.3" },
      },
      { key: "rspec/3.4", step: "rspec", matrix: { "": "3.4" } },
    ]);
  });
  test("with several dimensions multiplies them in the order of the file, and says the values where the label does not", () => {
    const text = `
- command: make
  label: build
  matrix: { setup: { os: [linux, mac os], arch: [arm64, amd64] } }`;
    expect(jobs(text).map(({ key, label }) => `${key}: ${label}`)).toEqual([
      "build/linux/arm64: build (linux, arm64)",
      "build/linux/amd64: build (linux, amd64)",
      "build/mac-os/arm64: build (mac os, arm64)",
      "build/mac-os/amd64: build (mac os, amd64)",
    ]);
  });
  test("gives a step without key one from its label without the values", () => {
    expect(keys("- { label: ':go: {{matrix}} tests', command: x, matrix: [a, b] }")).toEqual(["tests/a", "tests/b"]);
    expect(keys("- { command: 'echo {{matrix}}', matrix: [a, b] }")).toEqual(["echo/a", "echo/b"]);
    expect(keys("- { command: '{{matrix}}', matrix: ['a b', 'a-b', '/'] }")).toEqual([
      "command/a-b",
      "command/a-b-2",
      "command/empty",
    ]);
  });
  test("is adjusted: skipped, soft, or longer by a combination", () => {
    const text = `
- key: k
  command: "{{matrix.os}} {{matrix.n}}"
  matrix:
    setup: { os: [a, b], n: [1, 2] }
    adjustments:
      - { with: { os: a, n: 1 }, skip: true }
      - { with: { os: a, n: 2 }, skip: "too slow" }
      - { with: { os: b, n: 1 }, soft_fail: true }
      - { with: { n: 2, os: b }, soft_fail: [{ exit_status: 3 }], skip: false }
      - { with: { os: plan9, n: 1 } }`;
    expect(jobs(text).map((job) => [job.key, job.skip, (job as CommandStep).softFail])).toEqual([
      ["k/a/1", "", false],
      ["k/a/2", "too slow", false],
      ["k/b/1", undefined, true],
      ["k/b/2", undefined, [3]],
      ["k/plan9/1", undefined, false],
    ]);
  });
  test("as a list is adjusted by a value alone", () => {
    const text =
      "- { key: k, command: x, matrix: { setup: [one, two], adjustments: [{ with: [three], skip: true }, { with: two, soft_fail: true }] } }";
    expect(jobs(text).map(({ key, skip }) => `${key} ${skip}`)).toEqual([
      "k/one undefined",
      "k/two undefined",
      "k/three ",
    ]);
  });
  test("reaches the names of plugins' settings, and nothing outside its step", () => {
    const text =
      "- { key: k, command: x, env: { 'V_{{matrix}}': '1' }, matrix: [a] }\n- { key: l, command: '{{matrix}}' }";
    expect(jobs(text)).toMatchObject([{ env: { V_a: "1" } }, { commands: ["{{matrix}}"] }]);
  });
});

describe("a matrix that cannot be is refused", () => {
  const matrix = (text: string) => faults(`- { key: k, command: x, matrix: ${text} }`);
  test.each([
    ["[]", "pipeline.matrix 1: the matrix makes no job"],
    ["[a, a]", "pipeline.matrix 1: the matrix has a value of the list twice"],
    [
      `[${Array.from({ length: 51 }, (_, index) => index).join(",")}]`,
      "pipeline.limit 1: a matrix has at most 50 jobs, and this one makes 51",
    ],
    [
      "{ setup: { a: [1,2,3,4,5,6,7,8], b: [1,2,3,4,5,6,7] } }",
      "pipeline.limit 1: a matrix has at most 50 jobs, and this one makes 56",
    ],
    [
      `{ setup: { a: [${Array.from({ length: 21 }, (_, index) => index).join(",")}], b: [1] } }`,
      "pipeline.limit 1: a matrix has at most 20 values in one dimension",
    ],
    ["{ setup: { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1 } }", "pipeline.limit 1: a matrix has at most 6 dimensions"],
    [
      `{ setup: [a], adjustments: [${Array.from({ length: 13 }, () => "{ with: a }").join(",")}] }`,
      "pipeline.limit 1: a matrix has at most 12 adjustments",
    ],
    [
      "{ setup: { a: [1], b: [1] }, adjustments: [{ with: { a: 1 } }] }",
      "pipeline.matrix 1: an adjustment names a value for each of `a`, `b`, and for nothing else",
    ],
  ])("%s", (text, expected) => {
    expect(matrix(text)).toEqual([expected]);
  });
  test("a value that it has not", () => {
    expect(faults("- { key: k, command: 'echo {{matrix.os}}', matrix: [a] }")).toEqual([
      "pipeline.matrix 1: `{{matrix.os}}` is no value of this matrix: it has `{{matrix}}`",
    ]);
  });
  test("a value in what is decided once for all jobs", () => {
    expect(faults("- { key: 'k-{{matrix}}', command: x, if: \"'{{matrix}}' == 'a'\", matrix: [a] }")).toEqual([
      "pipeline.matrix 1: `key` counts for all jobs of the matrix, so that no value can be in it",
      "pipeline.matrix 1: `if` counts for all jobs of the matrix, so that no value can be in it",
    ]);
  });
  test("other faults of the step are said once and not for each job", () => {
    expect(faults("- { key: k, command: x, timeout_in_minutes: 0, matrix: [a, b, c] }")).toHaveLength(1);
  });
});

describe("parallelism", () => {
  test("makes copies that know their number", () => {
    expect(jobs("- { command: make test, key: t, env: { A: 1 }, parallelism: 2 }")).toMatchObject([
      {
        key: "t/1",
        step: "t",
        label: "make test 1/2",
        env: { A: "1", BUILDKITE_PARALLEL_JOB: "0", BUILDKITE_PARALLEL_JOB_COUNT: "2", TOWLINE_PARALLEL_JOB: "0" },
        parallel: { index: 0, count: 2 },
      },
      { key: "t/2", label: "make test 2/2", env: { BUILDKITE_PARALLEL_JOB: "1" } },
    ]);
  });
  test("may stand in the label", () => {
    expect(jobs("- { command: x, label: 'test %N of %t', parallelism: 2 }").map(({ label }) => label)).toEqual([
      "test 1 of 2",
      "test 2 of 2",
    ]);
  });
  test("of one is no parallelism, and the number may come from a variable", () => {
    expect(keys("- { command: x, key: t, parallelism: 1 }")).toEqual(["t"]);
    expect(keys('env: { N: 2 }\nsteps: [{ command: x, key: t, parallelism: "$N" }]')).toEqual(["t/1", "t/2"]);
  });
  test("multiplies with a matrix", () => {
    expect(keys("- { command: x, key: t, matrix: [a, b], parallelism: 2 }")).toEqual([
      "t/a/1",
      "t/a/2",
      "t/b/1",
      "t/b/2",
    ]);
  });
  test("is limited, and so are the jobs of a file and all that they say", () => {
    expect(faults("- { command: x, parallelism: 101 }")[0]).toContain("at most 100");
    const many = "- { command: x, matrix: [1,2,3,4,5,6], parallelism: 100 }";
    expect(faults(`- wait\n${many}\n${many}`)).toEqual([
      "pipeline.limit 2: with this step the file makes more than 500 jobs",
    ]);
    expect(faults(`- { group: g, steps: [${"{ command: x, parallelism: 100 },".repeat(2000)}] }`)[0]).toContain("500");
    expect(faults(`- { command: ${"x".repeat(200_000)}, parallelism: 100 }`)[0]).toContain(
      "more than 8388608 characters",
    );
  });
});

describe("groups", () => {
  test("stand for their steps, and each step knows its group", () => {
    const text = `
- group: ":lock: Audits"
  key: audits
  steps:
    - { command: a, key: a }
    - wait
    - { command: b, matrix: [x, y], key: b }`;
    expect(jobs(text).map(({ key, group }) => `${key} in ${group?.key}: ${group?.label}`)).toEqual([
      "a in audits: :lock: Audits",
      "wait in audits: :lock: Audits",
      "b/x in audits: :lock: Audits",
      "b/y in audits: :lock: Audits",
    ]);
  });
  test("take their name from `group`, `label` or `name`", () => {
    const text =
      "- { group: ~, label: One, steps: [wait] }\n- { type: group, name: Two, steps: [wait] }\n- { group: Three, label: no, steps: [wait] }";
    expect(jobs(text).map(({ group }) => `${group?.key} ${group?.label}`)).toEqual([
      "one One",
      "two Two",
      "three Three",
    ]);
  });
  test("without steps are left out with a warning, and have no groups in them", () => {
    expect(parsePipeline({ file: "p.yml", text: "- { group: ~, steps: ~ }\n- wait" })).toMatchObject({
      value: { steps: [{ key: "wait" }] },
      warnings: [{ code: "pipeline.no-steps" }],
    });
    expect(faults("- { group: a, steps: [{ group: b, steps: [wait] }] }")).toEqual([
      "pipeline.step-type 1: a group cannot have groups in it",
    ]);
  });
});

describe("keys", () => {
  test("may be taken by one step or group only, whatever a matrix makes of them", () => {
    expect(faults("- { command: x, key: a, matrix: [1, 2] }\n- { command: x, key: a }")).toEqual([
      "pipeline.duplicate-key 2: the key `a` is taken by the step on line 1",
    ]);
    expect(faults("- { group: g, key: a, steps: [wait] }\n- { command: x, key: a }")).toHaveLength(1);
    expect(faults("- { group: g, key: a, steps: [wait] }\n- { group: h, key: a, steps: [block] }")).toHaveLength(1);
    expect(faults("x: &x { command: a, key: a, matrix: [1, 2] }\nsteps: [*x, *x]")).toHaveLength(1);
  });
  test("have no blank, at most 100 characters, and are no UUID", () => {
    expect(faults("- { command: x, key: has spaces }")[0]).toMatch(/^shape\.wrong-value/);
    expect(faults(`- { command: x, key: ${"a".repeat(101)} }`)[0]).toMatch(/^shape\.wrong-value/);
    expect(faults("- { command: x, key: 01234567-89ab-cdef-0123-456789abcdef }")[0]).toMatch(/^shape\.wrong-value/);
  });
});
