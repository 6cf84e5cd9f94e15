/** Byte ranges: `Range` when a blob is read, `Content-Range` when a part of an upload is written. */

/** First and last byte, both included. */
export interface ByteRange {
  first: number;
  last: number;
}

/**
 * The part that a `Range` header asks of `size` bytes: the whole (undefined) for no header and for forms that are not
 * served (several parts, other units), as HTTP wants; "unsatisfiable" for one that lies outside or is inverted.
 */
export function readRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  if (from === "") return suffix(Number(to), size);
  const first = Number(from);
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return first >= size || first > last ? "unsatisfiable" : { first, last };
}

function suffix(length: number, size: number): ByteRange | "unsatisfiable" {
  if (length === 0 || size === 0) return "unsatisfiable";
  return { first: Math.max(0, size - length), last: size - 1 };
}

/** `Content-Range: 0-1023` of an upload's part, with or without the unit and the total; undefined for another form. */
export function uploadRange(header: string): ByteRange | undefined {
  const [, from, to] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(header.trim()) ?? [];
  const range = { first: Number(from), last: Number(to) };
  return from !== undefined && to !== undefined && range.first <= range.last ? range : undefined;
}

/** What an upload holds, as clients read it: the last byte's number, which is 0 for an empty one too. */
export function heldRange(size: number): string {
  return `0-${Math.max(0, size - 1)}`;
}
