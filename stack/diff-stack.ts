/** What a deployment would change, for people to read before it happens. */
import type { Stack, Variable } from "./stack.ts";

export interface StackChange {
  /** Path in the stack, such as `image`, `variables.LOG_LEVEL` or `backing.db.image`. */
  path: string;
  kind: "added" | "removed" | "changed";
  /** In words; never the value of a secret, which no stack holds. */
  before?: string;
  after?: string;
}

/** Changes from one stack to the next, sorted by path. Without a stack before, everything is added. */
export function diffStack(before: Stack | undefined, after: Stack): StackChange[] {
  const old = before ? flatten(before) : new Map<string, string>();
  const next = flatten(after);
  const paths = [...new Set([...old.keys(), ...next.keys()])].toSorted();
  return paths.flatMap((path) => change(path, old.get(path), next.get(path)) ?? []);
}

function change(path: string, before: string | undefined, after: string | undefined): StackChange | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { path, kind: "added", ...(after === undefined ? {} : { after }) };
  return after === undefined ? { path, kind: "removed", before } : { path, kind: "changed", before, after };
}

function flatten(stack: Stack): Map<string, string> {
  const { variables, backing, ...rest } = stack;
  const found = new Map<string, string>();
  collect(found, "", rest);
  for (const [name, variable] of Object.entries(variables)) found.set(`variables.${name}`, describe(variable));
  for (const { name, ...spec } of backing) collect(found, `backing.${name}.`, spec);
  return found;
}

function collect(found: Map<string, string>, prefix: string, value: object): void {
  for (const [key, part] of Object.entries(value) as [string, unknown][]) {
    if (Array.isArray(part)) found.set(prefix + key, part.map(plain).join(" "));
    else if (typeof part === "object" && part !== null) collect(found, `${prefix}${key}.`, part);
    else found.set(prefix + key, String(part));
  }
}

function plain(part: unknown): string {
  return typeof part === "string" ? part : JSON.stringify(part);
}

function describe(variable: Variable): string {
  if (variable.from === "value") return variable.value;
  return variable.from === "secret" ? `secret ${variable.secret}` : variable.url;
}
