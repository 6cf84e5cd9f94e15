/** The record of what happened as text for other programs. Pure. */
import type { Output } from "../api/call.ts";

export type Entry = Output<"listAudit">["entries"][number];

export function factWords({ facts }: Pick<Entry, "facts">): string {
  return Object.entries(facts)
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}

const columns = ["id", "at", "name", "subject", "actor"] as const;

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
