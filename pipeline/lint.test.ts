import { describe, expect, test } from "vitest";
import { readPipeline } from "./pipeline-file.ts";

const faults = (text: string) =>
  readPipeline({ file: "p.yml", text }).errors?.map(({ code, place }) => `${code} ${place.line}`) ?? [];

describe("keys and dependencies", () => {
  test("two steps with one key", () => {
    expect(faults("- { command: a, key: x }\n- { command: b, key: x }")).toEqual(["pipeline.duplicate-key 2"]);
  });
  test("a dependency that is not there, with the key that was probably meant", () => {
    const text = "- { command: a, key: build }\n- { command: b, depends_on: biuld }";
    expect(readPipeline({ file: "p.yml", text }).errors).toMatchObject([
      { code: "pipeline.unknown-dependency", place: { line: 2 }, fix: "did you mean `build`?" },
    ]);
  });
  test("circles, also of one step and through `wait`", () => {
    expect(faults("- { command: a, key: a, depends_on: b }\n- { command: b, key: b, depends_on: a }")).toEqual([
      "pipeline.cycle 1",
    ]);
    expect(faults("- { command: a, key: a, depends_on: a }")).toEqual(["pipeline.cycle 1"]);
    expect(faults("- { command: a, key: a, depends_on: b }\n- wait\n- { command: b, key: b }")).toEqual([
      "pipeline.cycle 1",
    ]);
  });
  test("circles through groups and through the jobs of a step", () => {
    expect(
      faults("- { group: g, key: g, depends_on: b, steps: [{ command: x }] }\n- { command: x, key: b, depends_on: g }"),
    ).toEqual(["pipeline.cycle 1"]);
    expect(faults("- { group: g, key: g, steps: [{ command: x, depends_on: g }] }")).toEqual(["pipeline.cycle 1"]);
    expect(faults("- { command: x, key: m, matrix: [a, b], depends_on: m }")).toEqual(["pipeline.cycle 1"]);
  });
  test("a group's dependency that is not there", () => {
    expect(faults("- { command: x, key: build }\n- { group: g, depends_on: biuld, steps: [wait, block] }")).toEqual([
      "pipeline.unknown-dependency 2",
    ]);
  });
  test("a chain as long as a file may be is no circle and no crash", () => {
    const chain = Array.from(
      { length: 499 },
      (_, index) => `- { command: a, key: s${index + 1}, depends_on: s${index} }`,
    );
    expect(faults(["- { command: a, key: s0 }", ...chain].join("\n"))).toEqual([]);
  });
});

describe("a deploy step and the gates above it", () => {
  const before = "- { publish: ., key: image }\n- { block: Go, key: gate }\n";
  test("is fine in the order of the file", () => {
    expect(faults(`${before}- deploy: production`)).toEqual([]);
    expect(
      faults(`${before}- wait\n- { command: smoke, key: smoke }\n- { deploy: production, depends_on: smoke }`),
    ).toEqual([]);
  });
  test("may not name its dependencies without the gate", () => {
    expect(faults(`${before}- { deploy: production, depends_on: image }`)).toEqual(["pipeline.deploy-past-gate 3"]);
    expect(faults(`${before}- { deploy: production, depends_on: [] }`)).toEqual([
      "pipeline.deploy-past-gate 3",
      "pipeline.deploy-without-publish 3",
    ]);
  });
  test("may name the gate itself, which carries the publish step", () => {
    expect(faults(`${before}- { deploy: production, depends_on: gate }`)).toEqual([]);
  });
  test("must wait for the nearest gate even when that gate has its own dependencies", () => {
    const text = "- { publish: ., key: image }\n- { block: Go, key: gate, depends_on: image }\n";
    expect(faults(`${text}- { deploy: production, depends_on: image }`)).toEqual(["pipeline.deploy-past-gate 3"]);
    expect(faults(`${text}- { deploy: production, depends_on: gate }`)).toEqual([]);
  });
  test("need not wait for the gate of another branch of the graph", () => {
    const text = `
- { publish: ., key: image }
- { block: EU, key: gate-eu, depends_on: image }
- { deploy: eu, depends_on: gate-eu }
- { block: US, key: gate-us, depends_on: image }
- { deploy: us, depends_on: gate-us }`;
    expect(faults(text)).toEqual([]);
  });
  test("needs something published before it", () => {
    expect(faults("- deploy: test")).toEqual(["pipeline.deploy-without-publish 1"]);
    expect(faults("- deploy: test\n- publish: .")).toEqual(["pipeline.deploy-without-publish 1"]);
  });
  test("are looked for through groups and matrices", () => {
    const group = "- { publish: ., key: image }\n- { group: g, key: g, steps: [{ block: Go, key: go }] }\n";
    expect(faults(`${group}- deploy: production`)).toEqual([]);
    expect(faults(`${group}- { deploy: production, depends_on: g }`)).toEqual(["pipeline.deploy-without-publish 3"]);
    expect(faults(`${group}- { deploy: production, depends_on: image }`)).toEqual(["pipeline.deploy-past-gate 3"]);
    expect(faults(`${group}- { deploy: production, depends_on: [image, g] }`)).toEqual([]);
    const matrix = `${before}- { command: x, key: m, matrix: [a, b] }\n`;
    expect(faults(`${matrix}- { deploy: production, depends_on: m/a }`)).toEqual([]);
    expect(faults(`${matrix}- { deploy: production, depends_on: [image] }`)).toEqual(["pipeline.deploy-past-gate 4"]);
  });
  test("of the deployment's own group are the nearest, and those of groups beside it are not its own", () => {
    const groups = (depends: string) => `
- { publish: ., key: image }
- { group: EU, depends_on: image, steps: [{ block: EU, key: eu }, { deploy: eu, depends_on: eu }] }
- { group: US, depends_on: image, steps: [{ block: US, key: us }, { deploy: us, depends_on: ${depends} }] }`;
    expect(faults(groups("us"))).toEqual([]);
    expect(faults(groups("image"))).toEqual(["pipeline.deploy-past-gate 4"]);
  });
  test("are block steps: an input step that nothing names holds up nothing", () => {
    const text = "- { publish: ., key: image }\n- { input: Name?, key: i }\n";
    expect(faults(`${text}- { deploy: production, depends_on: image }`)).toEqual([]);
  });
  test("may not wait for a step that nothing knows, as that one never runs", () => {
    const text = "- { publish: ., key: image }\n- { bake: test }\n- deploy: test";
    expect(faults(text)).toEqual(["pipeline.deploy-past-unknown 3"]);
  });
});

describe("a trigger step", () => {
  const trigger = (text: string) =>
    readPipeline({ file: "p.yml", text, variables: { TOWLINE_PIPELINE_SLUG: "orders" } }).errors?.map(
      ({ code }) => code,
    );
  test("may not start its own pipeline in every build", () => {
    expect(trigger("- trigger: orders")).toEqual(["pipeline.trigger-loop"]);
    expect(trigger("- { trigger: orders, if: build.source != 'trigger_job' }")).toBeUndefined();
    expect(trigger("- trigger: catalog")).toBeUndefined();
  });
});

describe("fields", () => {
  const field = (text: string) =>
    readPipeline({ file: "p.yml", text: `- { block: Go, fields: [${text}] }` }).errors?.map(({ message }) => message);
  test.each([
    ["{ select: A, key: a }", "the key `options` is missing in `fields[0]`"],
    ["{ select: A, key: a, options: [] }", "`fields[0].options` is not allowed: a select needs at least one option"],
    ["{ select: A, key: a, default: z, options: [{ label: X, value: x }] }", "the default `z` is none of the options"],
    [
      "{ select: A, key: a, default: [x, y], options: [{ label: X, value: x }, { label: Y, value: y }] }",
      "several defaults need `multiple: true`",
    ],
    ["{ text: A, key: a }, { text: B, key: a }", "the field `a` is there twice"],
    ["{ text: A, key: a, format: '[' }", "`format` is no valid pattern: a `[` is not closed"],
    ["{ text: A, key: a, format: '[0-9]+', default: x }", "the default does not fit `format`"],
    ["{ text: A }", "the key `key` is missing in `fields[0]`"],
    [
      "{ text: A, key: 'a b' }",
      "`fields[0].key` is not allowed: letters, digits, dashes, underscores and slashes, at most 100",
    ],
  ])("%s: %s", (text, expected) => {
    expect(field(text)).toEqual([expected]);
  });
});
