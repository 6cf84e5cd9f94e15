import { describe, expect, test } from "vitest";
import { parsePipeline } from "./pipeline-file.ts";

const faults = (text: string) =>
  parsePipeline({ file: "p.yml", text }).errors?.map(({ code, place }) => `${code} ${place.line}`) ?? [];

describe("keys and dependencies", () => {
  test("two steps with one key", () => {
    expect(faults("- { command: a, key: x }\n- { command: b, key: x }")).toEqual(["pipeline.duplicate-key 2"]);
  });
  test("a dependency that is not there, with the key that was probably meant", () => {
    const text = "- { command: a, key: build }\n- { command: b, depends_on: biuld }";
    expect(parsePipeline({ file: "p.yml", text }).errors).toMatchObject([
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
  test("may not wait for a step that nothing knows, as that one never runs", () => {
    const text = "- { publish: ., key: image }\n- { comand: make test }\n- deploy: test";
    expect(faults(text)).toEqual(["pipeline.deploy-past-unknown 3"]);
  });
});
