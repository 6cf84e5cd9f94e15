/** Checks a located value against a zod schema; what zod finds becomes faults with a place and a way out. */
import type { z } from "zod";
import { nearest } from "#api/nearest.ts";
import { type Fault, faultCatalogue, type FaultCode, type Parsed } from "../fault.ts";
import { limits } from "./limits.ts";
import { knownKeys } from "./known-keys.ts";
import { keyPlaceOf, locate, type Located, type Path, placeOf } from "./located.ts";

type Issue = z.core.$ZodIssue;

interface Check {
  root: Located;
  schema: z.ZodType;
}

/** The parsed value, or all faults at once. */
export function checkShape<S extends z.ZodType>(root: Located, schema: S): Parsed<z.output<S>> {
  const result = schema.safeParse(root.value, { reportInput: true });
  if (result.success) return { value: result.data, warnings: [] };
  const errors = result.error.issues.slice(0, limits.faults).flatMap((issue) => faultsOf({ root, schema }, issue, []));
  return {
    errors: errors.toSorted((a, b) => a.place.line - b.place.line || a.place.column - b.place.column),
    warnings: [],
  };
}

function faultsOf(check: Check, issue: Issue, prefix: Path): Fault[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys")
    return issue.keys.slice(0, limits.faults).map((key) => unknownKey(check, path, key));
  if (issue.code === "invalid_union") return unionFaults(check, issue, path);
  if (issue.code === "invalid_key" || issue.code === "invalid_element")
    return issue.issues.flatMap((inner) => elementFaults(check, inner, path));
  return [faultOf(check, issue, path)];
}

/** A bad key of a map of names: zod gives the issue of the key itself, without a path. */
function elementFaults({ root }: Check, inner: Issue, path: Path): Fault[] {
  const message = `${describe(path)} is not allowed as a name: ${inner.message}`;
  return [{ code: "shape.wrong-value", message, place: keyPlaceOf(root, path) }];
}

function unknownKey({ root, schema }: Check, path: Path, key: string): Fault {
  const known = knownKeys(schema, path);
  const place = keyPlaceOf(root, [...path, key]);
  return {
    code: "shape.unknown-key",
    message: `the key \`${key}\` is not known ${inside(path)}`,
    place,
    fix: suggestion(key, known),
  };
}

/** `did you mean …?` where one is near, otherwise the whole list. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near ? `did you mean \`${near}\`?` : `known are ${known.map((name) => `\`${name}\``).join(", ")}`;
}

/** The branch of the union that fits best: faults inside the value before those in its type, and keys that are known. */
function unionFaults(check: Check, issue: Issue & { code: "invalid_union" }, path: Path): Fault[] {
  const fitting = issue.errors.filter((branch) => !misfits(branch));
  const [first, second] = fitting.toSorted((one, other) => strangeness(one) - strangeness(other));
  const best = first && (!second || strangeness(first) < strangeness(second)) ? first : undefined;
  if (best) return best.flatMap((inner) => faultsOf(check, inner, path));
  const part = locate(check.root, path);
  if (!part) return [missing(check, path)];
  const expected = [
    ...new Set(
      issue.errors.flatMap((branch) => branch.flatMap((inner) => (inner.path.length === 0 ? expectation(inner) : []))),
    ),
  ];
  return [
    {
      code: "shape.wrong-type",
      message: `${describe(path)} must be ${expected.join(" or ") || "of another form"}, and is ${typeName(part.value)}`,
      place: part.place,
    },
  ];
}

/** Keys that this branch does not know. */
function strangeness(branch: readonly Issue[]): number {
  return branch.filter(
    (issue) => issue.code === "unrecognized_keys" || (issue.code === "invalid_type" && issue.expected === "never"),
  ).length;
}

/** The value has not the type that this branch takes. */
function misfits(branch: readonly Issue[]): boolean {
  return branch.some((issue) => {
    if (issue.path.length > 0) return false;
    return issue.code === "invalid_type" || (issue.code === "invalid_union" && issue.errors.every(misfits));
  });
}

function expectation(issue: Issue): string[] {
  if (issue.code === "invalid_type") return [typeNames[issue.expected] ?? issue.expected];
  if (issue.code === "invalid_union") return issue.errors.flatMap((branch) => branch.flatMap(expectation));
  return issue.code === "invalid_value" ? [issue.values.map((value) => `\`${String(value)}\``).join(" or ")] : [];
}

function faultOf(check: Check, issue: Issue, path: Path): Fault {
  const part = locate(check.root, path);
  if (!part && issue.code !== "custom") return missing(check, path);
  const place = placeOf(check.root, path);
  if (issue.code === "custom") return { ...customFault(issue), place };
  if (issue.code === "invalid_type") {
    const message = `${describe(path)} must be ${typeNames[issue.expected] ?? issue.expected}, and is ${typeName(part?.value)}`;
    // A schema's own words beat zod's, which all start the same way.
    const fix = issue.message.startsWith("Invalid input") ? {} : { fix: issue.message };
    return { code: "shape.wrong-type", message, place, ...fix };
  }
  if (issue.code === "invalid_value") return wrongChoice(issue, { path, place, given: part?.value });
  return { code: "shape.wrong-value", message: `${describe(path)} is not allowed: ${issue.message}`, place };
}

function customFault(issue: Issue & { code: "custom" }): Pick<Fault, "code" | "message" | "fix"> {
  const { fault, fix } = issue.params ?? {};
  const code = typeof fault === "string" && fault in faultCatalogue ? (fault as FaultCode) : "shape.wrong-value";
  const subject = code === "shape.wrong-value" ? `${describe(issue.path)} is not allowed: ` : "";
  return { code, message: subject + issue.message, ...(typeof fix === "string" ? { fix } : {}) };
}

function wrongChoice(
  issue: Issue & { code: "invalid_value" },
  at: { path: Path; place: Fault["place"]; given: unknown },
): Fault {
  const choices = issue.values.map(String);
  const message = `${describe(at.path)} may not be ${typeof at.given === "string" ? `\`${at.given.slice(0, 60)}\`` : typeName(at.given)}`;
  return { code: "shape.wrong-value", message, place: at.place, fix: suggestion(String(at.given), choices) };
}

function missing({ root }: Check, path: Path): Fault {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  return {
    code: "shape.missing-key",
    message: `the key \`${key}\` is missing ${inside(parent)}`,
    place: placeOf(root, parent),
    fix: `add \`${key}:\``,
  };
}

function inside(path: Path): string {
  return path.length === 0 ? "at the top of the file" : `in ${describe(path)}`;
}

/** A path as people write it: `steps[2].retry`. */
function describe(path: Path): string {
  const text = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return path.length === 0 ? "the file" : `\`${text.replace(/^\./, "")}\``;
}

const typeNames: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a map",
  record: "a map",
  array: "a list",
  null: "empty",
};

function typeName(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  return { string: "a text", number: "a number", boolean: "true or false" }[typeof value as string] ?? "a map";
}
