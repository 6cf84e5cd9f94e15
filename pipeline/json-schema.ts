/** JSON Schema of pipeline files for editors, made from the shapes that the parser reads with. */
import { z } from "zod";
import { keyManual } from "./key-manual.ts";
import { groupShape, kindKeys, stepShapes, topShape } from "./step-shape.ts";
import type { StepKind } from "./step.ts";

export interface JsonSchema {
  [key: string]: unknown;
}

type Kind = Exclude<StepKind, "unknown"> | "group";

const kinds: readonly Kind[] = ["command", "wait", "block", "input", "trigger", "group", "test", "publish", "deploy"];

/** Words that are a step by themselves. */
const words = ["wait", "waiter", "block", "manual", "input", "command", "commands", "script"];

/** Unknown keys are allowed everywhere: the parser keeps them with a warning. */
export function pipelineSchema(): JsonSchema {
  const steps = (names: readonly Kind[]) => ({
    type: ["array", "null"],
    items: { anyOf: [{ type: "string", enum: words }, ...names.map((kind) => ({ $ref: `#/definitions/${kind}` }))] },
  });
  const definitions = Object.fromEntries(kinds.map((kind) => [kind, stepSchema(kind)]));
  const inner = definitions["group"]?.["properties"] as JsonSchema;
  inner["steps"] = { ...steps(kinds.filter((kind) => kind !== "group")), description: keyManual.steps };
  const top = propertiesOf(topShape);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Towline pipeline",
    description: "A pipeline in Buildkite's step syntax, with Towline's own steps `test`, `publish` and `deploy`.",
    definitions,
    anyOf: [
      { type: "object", properties: { ...top, steps: { ...steps(kinds), description: keyManual.steps } } },
      { ...steps(kinds), type: "array" },
    ],
  };
}

function stepSchema(kind: Kind): JsonSchema {
  const properties = propertiesOf(kind === "group" ? groupShape : stepShapes[kind]);
  const names = kind === "group" ? ["group"] : Object.keys(kindKeys).filter((name) => kindKeys[name] === kind);
  // Its pattern is that of a name, and the value of a matrix is none yet.
  if (kind === "deploy")
    properties["deploy"] = { anyOf: [properties["deploy"], { type: "string", pattern: "\\{\\{" }] };
  const isNested = kind === "command" || kind === "wait" || kind === "block" || kind === "input" || kind === "trigger";
  // The value of the key that says the kind may be the rest of the step.
  if (isNested) for (const name of names) properties[name] = { anyOf: [properties[name], { type: "object" }] };
  const byPlugins = kind === "command" ? [has("plugins"), has("plugin")] : [];
  const byType = has("type", { enum: [...new Set([kind, ...names])] });
  return { type: "object", properties, anyOf: [...names.map((name) => has(name)), byType, ...byPlugins] };
}

/** Spelt out, because some readers look at `required` only beside `properties`. */
function has(key: string, value: JsonSchema = {}): JsonSchema {
  return { type: "object", properties: { [key]: value }, required: [key] };
}

function propertiesOf(shape: z.ZodObject): JsonSchema {
  const { properties = {} } = toSchema(shape);
  const described = Object.entries(properties as JsonSchema).map(([key, property]) => {
    const description = (keyManual as Record<string, string>)[key];
    return [key, typeof property === "object" && description ? { description, ...property } : property];
  });
  return Object.fromEntries(described) as JsonSchema;
}

function toSchema(schema: z.core.$ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => keepLimits(zodSchema, jsonSchema),
  });
}

/** What is written may be a text or a number; the limits stand behind the change into one of them, and count for both. */
function keepLimits(schema: z.core.$ZodType, written: JsonSchema): void {
  if (!(schema instanceof z.ZodPipe) || schema.def.out instanceof z.ZodTransform) return;
  const { pattern, minLength, maxLength, minimum, maximum, exclusiveMinimum } = toSchema(schema.def.out);
  const limits = { string: { pattern, minLength, maxLength }, number: { minimum, maximum, exclusiveMinimum } };
  const limited = (branch: JsonSchema): JsonSchema => {
    if (branch["type"] === "string" && !branch["enum"]) return withKnown(branch, limits.string);
    return branch["type"] === "number" || branch["type"] === "integer" ? withKnown(branch, limits.number) : branch;
  };
  // Copies: the same text or number stands in many other places.
  if (written["anyOf"]) written["anyOf"] = (written["anyOf"] as JsonSchema[]).map(limited);
  else Object.assign(written, limited(written));
}

function withKnown(branch: JsonSchema, limits: JsonSchema): JsonSchema {
  const known = Object.entries(limits).filter(([, limit]) => limit !== undefined && !isNoLimit(limit));
  return { ...branch, ...Object.fromEntries(known) };
}

/** What zod says of every whole number. */
function isNoLimit(limit: unknown): boolean {
  return typeof limit === "number" && Math.abs(limit) >= Number.MAX_SAFE_INTEGER;
}
