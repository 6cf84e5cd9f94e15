import { expect, test } from "vitest";
import { z } from "zod";
import { type JsonSchema, pipelineSchema } from "./json-schema.ts";
import { keyManual } from "./key-manual.ts";
import { groupShape, stepShapes, topShape } from "./step-shape.ts";

/** Read back by a reader of JSON Schema, as an editor does. */
const reader = z.fromJSONSchema(pipelineSchema());
const accepts = (pipeline: unknown): boolean => reader.safeParse(pipeline).success;

test.each([
  { steps: ["wait", { wait: null, continue_on_failure: true }, { waiter: {} }, { type: "wait" }] },
  { steps: [{ command: ["a", "b"], agents: ["queue=x"], matrix: { setup: { os: ["a"] } }, x_unknown: 1 }] },
  { steps: [{ group: "g", steps: [{ plugins: ["a#v1", { "b#v2": { c: [1] } }] }] }] },
  { steps: [{ block: "Go", fields: [{ select: "S", key: "s", options: [{ label: "A", value: "a" }] }] }] },
  { steps: [{ trigger: "other", async: true, build: { meta_data: { a: "b" } } }, { input: "x" }, "input"] },
  { steps: [{ test: { compose: "c.yml", run: "unit" } }, { publish: "." }, { deploy: "test" }] },
  [{ command: "bare list" }],
  { env: { A: 1, B: null }, agents: { queue: "q" }, steps: null },
])("the schema takes what the parser takes: %j", (pipeline) => {
  expect(accepts(pipeline)).toBe(true);
});

test.each([
  { steps: [{ command: "x", timeout_in_minutes: "soon" }] },
  { steps: [{ command: "x", concurrency_method: "lazy" }] },
  { steps: [{ command: "x", key: "has spaces" }] },
  { steps: [{ command: "x", key: "a".repeat(101) }] },
  { steps: [{ command: "x", timeout_in_minutes: 1441 }] },
  { steps: [{ command: "x", retry: { automatic: { limit: 11 } } }] },
  { steps: [{ deploy: "Not A Name" }] },
  { steps: [{ label: "nothing to do" }] },
  { steps: "wait" },
])("and refuses what the parser refuses: %j", (pipeline) => {
  expect(accepts(pipeline)).toBe(false);
});

test("every key has its sentence in the schema, and no sentence is about a key that is gone", () => {
  const shapes: z.ZodObject[] = [topShape, groupShape, ...Object.values(stepShapes)];
  const keys = [...new Set(shapes.flatMap((shape) => Object.keys(shape.shape)))];
  expect(keys.toSorted()).toEqual(Object.keys(keyManual).toSorted());
  const command = (pipelineSchema()["definitions"] as Record<string, JsonSchema>)["command"];
  expect(command?.["properties"]).toMatchObject({ if_changed: { description: keyManual.if_changed } });
});
