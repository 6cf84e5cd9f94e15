/** `n` and `last` of a listing. */
import { type Fault, fault } from "./fault.ts";

export interface Page {
  limit: number;
  /** The listing goes on behind this one. */
  after: string;
}

/** So many come at once even when more are asked for; a `Link` leads on. */
export const longestPage = 10_000;

/** `isKey` says whether a text can be a key of this listing. */
export function parsePage(query: URLSearchParams, isKey: (text: string) => boolean): Page | Fault {
  const n = query.get("n");
  const after = query.get("last") ?? "";
  if (after !== "" && !isKey(after)) return fault("PAGINATION_NUMBER_INVALID", "last is not a key of this listing");
  if (n !== null && !/^\d{1,9}$/.test(n)) return fault("PAGINATION_NUMBER_INVALID", "n is a number from 0");
  return { limit: Math.min(n === null ? longestPage : Number(n), longestPage), after };
}

/** The value of a `Link` header that leads to the page behind `last`. */
export function nextLink(path: string, query: Record<string, string>): string {
  return `<${path}?${new URLSearchParams(query).toString()}>; rel="next"`;
}
