/** What became another between two pacts, place by place, for a person to read. */
import { interactionsOf, isObject, type Json, type JsonObject, keyOf, nameOf, sortedJson } from "./content.ts";

export interface PactChange {
  interaction: string;
  change: "added" | "removed" | "changed";
  /** Within the interaction, `response.body.price`; empty for the whole of it. */
  path: string;
  /** JSON; null where there is none. */
  before: string | null;
  after: string | null;
}

/** Beyond so many nobody reads on. */
const mostChanges = 500;
const longest = 500;

export function pactDiff(before: JsonObject, after: JsonObject): PactChange[] {
  const [from, to] = [byKey(before), byKey(after)];
  const whole = { path: "", before: null, after: null };
  const changes = [...new Set([...from.keys(), ...to.keys()])].flatMap((key): PactChange[] => {
    const [old, young] = [from.get(key), to.get(key)];
    if (!old || !young) {
      const interaction = nameOf(young ?? old ?? {});
      return [{ interaction, change: young ? "added" : "removed", ...whole }];
    }
    const interaction = nameOf(young);
    return between(old, young, []).map((each) => ({ interaction, change: "changed" as const, ...each }));
  });
  return changes.slice(0, mostChanges);
}

const byKey = (pact: JsonObject) => new Map(interactionsOf(pact).map((each) => [keyOf(each), each]));

type Place = Pick<PactChange, "path" | "before" | "after">;

function between(before: Json | undefined, after: Json | undefined, path: readonly string[]): Place[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => key !== "_id");
    return keys.flatMap((key) => between(before[key], after[key], [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((each, index) => between(each, after[index], [...path, String(index)]));
  const [old, young] = [textOf(before), textOf(after)];
  return old === young ? [] : [{ path: path.join("."), before: old, after: young }];
}

function textOf(value: Json | undefined): string | null {
  if (value === undefined) return null;
  const text = sortedJson(value);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
