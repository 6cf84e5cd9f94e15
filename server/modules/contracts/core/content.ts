/** What a pact says, apart from how it was written down. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Deeper than any real document (serde_json, which the clients use, stops at 128), and shallow enough to be walked. */
const mostDepth = 100;

/** The value, or why it is none that is taken here. */
export function parseJson(text: string): { value: Json } | { fault: string } {
  if (isTooDeep(text)) return { fault: `the JSON is nested deeper than ${mostDepth} levels` };
  try {
    return { value: (particularNumber.test(text) ? raw.parse(text, keepNumber) : JSON.parse(text)) as Json };
  } catch (error) {
    return { fault: `not valid JSON: ${(error as Error).message}` };
  }
}

/** Numbers that would come back as another text, such as 1.0: they are kept as they were written. */
const particularNumber = /\d\.\d*0\b|\d[eE]|\d{16}|-0\b/;

interface RawJson {
  rawJSON(text: string): number;
  isRawJSON(value: unknown): boolean;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
}
/** In V8 since 11.4, not yet in TypeScript's library: https://github.com/tc39/proposal-json-parse-with-source */
const raw = JSON as unknown as RawJson;

function keepNumber(_: string, value: unknown, { source }: { source?: string }): unknown {
  return typeof value === "number" && source !== undefined && String(value) !== source ? raw.rawJSON(source) : value;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !raw.isRawJSON(value);

/** By the brackets outside of texts; it need not be valid. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfText(text, at);
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > mostDepth) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

function endOfText(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  return at;
}

/** As text, with the keys of every object in their order: equal values give equal texts. */
export function sortedJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const parts = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${sortedJson(value[key] ?? null)}`);
  return `{${parts.join(",")}}`;
}

const lists = ["interactions", "messages"] as const;
/** What clients add without a change of meaning. */
const besides = new Set(["metadata", "metaData", "consumer", "provider", "createdAt", "_links"]);

/**
 * The text that two pacts share exactly when they ask the same of a provider: the order of interactions and keys, the names, the
 * metadata and what a client writes out that is the default anyhow do not count; the version of the specification does.
 */
export function canonical(pact: JsonObject): string {
  const rest = Object.entries(pact).filter(([key]) => !besides.has(key));
  const parts = rest.map(([key, value]): [string, Json] => {
    const isList = (lists as readonly string[]).includes(key) && Array.isArray(value);
    return [key, isList ? inOrder(value.map((each) => plain(each))) : plain(value)];
  });
  return sortedJson({ ...Object.fromEntries(parts), specification: specificationOf(pact) });
}

function inOrder(values: readonly Json[]): Json[] {
  const written = values.map((value) => ({ value, text: sortedJson(value) }));
  return written.toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)).map(({ value }) => value);
}

function specificationOf(pact: JsonObject): string | null {
  const metadata = [pact["metadata"], pact["metaData"]].find(isObject);
  const found = metadata?.["pactSpecification"] ?? metadata?.["pact-specification"];
  const version = isObject(found) ? found["version"] : metadata?.["pactSpecificationVersion"];
  return typeof version === "string" ? version.replace(/(\.0)+$/, "") : null;
}

function plain(value: Json): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([key, each]) => key !== "_id" && !(key === "combine" && each === "AND" && Array.isArray(value["matchers"])),
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, plain(each)]));
}

export function interactionsOf(pact: JsonObject): JsonObject[] {
  return lists.flatMap((list) => {
    const found = pact[list];
    return Array.isArray(found) ? found.filter(isObject) : [];
  });
}

/** With an `_id` in each interaction, by which clients say what they verified. @param hash hexadecimal. */
export function withIds(pact: JsonObject, hash: (text: string) => string): JsonObject {
  const marked = lists.flatMap((list): [string, Json][] => {
    const found = pact[list];
    if (!Array.isArray(found)) return [];
    return [[list, found.map((each) => (isObject(each) ? { ...each, _id: hash(sortedJson(plain(each))) } : each))]];
  });
  return { ...pact, ...Object.fromEntries(marked) };
}

/** What makes an interaction the same one, whatever it expects. */
export function keyOf(interaction: JsonObject): string {
  const { description = null, providerState = null, providerStates = null, type = null } = interaction;
  return sortedJson([description, providerStates ?? providerState, type]);
}

/** In words: `a request for the stock (given there is some)`. */
export function nameOf({ description, providerState, providerStates }: JsonObject): string {
  const states = Array.isArray(providerStates)
    ? providerStates.flatMap((each) => (isObject(each) && typeof each["name"] === "string" ? [each["name"]] : []))
    : typeof providerState === "string"
      ? [providerState]
      : [];
  const what = typeof description === "string" ? description : "an interaction without description";
  return states.length > 0 ? `${what} (given ${states.join(", ")})` : what;
}

export interface Difference {
  added: string[];
  removed: string[];
  changed: string[];
}

/** By name of the interactions. */
export function compare(before: JsonObject, after: JsonObject): Difference {
  const [old, young] = [before, after].map((pact) => new Map(interactionsOf(pact).map((each) => [keyOf(each), each])));
  const [from, to] = [old ?? new Map<string, JsonObject>(), young ?? new Map<string, JsonObject>()];
  const differs = (key: string, each: JsonObject) =>
    sortedJson(plain(from.get(key) ?? null)) !== sortedJson(plain(each));
  return {
    added: [...to].filter(([key]) => !from.has(key)).map(([, each]) => nameOf(each)),
    removed: [...from].filter(([key]) => !to.has(key)).map(([, each]) => nameOf(each)),
    changed: [...to].filter(([key, each]) => from.has(key) && differs(key, each)).map(([, each]) => nameOf(each)),
  };
}

/** Both together, where several test runs of one version each publish a part; those that contradict each other by name. */
export function merge(before: JsonObject, after: JsonObject): { pact: JsonObject } | { conflicts: string[] } {
  const { changed } = compare(before, after);
  if (changed.length > 0) return { conflicts: changed };
  const merged = lists.flatMap((list): [string, Json][] => {
    const [old, young] = [before[list], after[list]].map((found) =>
      Array.isArray(found) ? found.filter(isObject) : [],
    );
    if (!Array.isArray(before[list]) && !Array.isArray(after[list])) return [];
    const known = new Set((young ?? []).map(keyOf));
    return [[list, [...(old ?? []).filter((each) => !known.has(keyOf(each))), ...(young ?? [])]]];
  });
  return { pact: { ...after, ...Object.fromEntries(merged) } };
}
