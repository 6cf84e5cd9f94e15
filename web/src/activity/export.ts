/** The record of what happened as text for other programs. Pure. */
import type { Output } from "../api/call.ts";

export type Entry = Output<"listAudit">["entries"][number];

/** Those that say most stand first. */
const order = ["release", "number", "name", "title", "branch", "ref", "key", "outcome", "phase", "change", "state"];
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const hash = /^(?:sha256:)?([0-9a-f]{40}|[0-9a-f]{64})$/;

/** What an entry says, for people: facts in words, and ids, which are only worth copying. */
export function factsOf({ facts: { service, environment, repository, ...facts } }: Pick<Entry, "facts">) {
  const place = [service ?? repository, environment].filter((name) => typeof name === "string").join(" in ");
  const rankOf = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  const rest = Object.entries(facts)
    .filter(([, value]) => value !== null)
    .toSorted(([a], [b]) => rankOf(a) - rankOf(b));
  const isId = (value: unknown): value is string => typeof value === "string" && (uuid.test(value) || hash.test(value));
  return {
    words: [place, ...rest.filter(([, value]) => !isId(value)).map(([key, value]) => `${key}: ${wordsOf(value)}`)]
      .filter(Boolean)
      .join(", "),
    ids: rest.flatMap(([name, value]) => (isId(value) ? [{ name, value }] : [])),
  };
}

function wordsOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(wordsOf).join(" ");
  if (typeof value !== "string") return JSON.stringify(value);
  const short = hash.exec(value)?.[1]?.slice(0, 8);
  return short ?? value;
}

const columns = ["id", "at", "sentence", "kind", "name", "subject", "actor"] as const;

/** With a head, by RFC 4180; the facts are JSON in the last column. */
export function asCsv(entries: readonly Entry[]): string {
  const lines = entries.map((entry) => [
    ...columns.map((column) => String(entry[column] ?? "")),
    JSON.stringify(entry.facts),
  ]);
  return [[...columns, "facts"], ...lines].map((cells) => `${cells.map(cellOf).join(",")}\r\n`).join("");
}

/** A spreadsheet takes what begins with one of these for a formula, which somebody's branch name may do. */
const formula = /^[=+\-@\t\r]/;

function cellOf(text: string): string {
  const plain = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

export function asJson(entries: readonly Entry[]): string {
  return `${JSON.stringify(entries, undefined, 2)}\n`;
}
