/** The part of a content that a request asks for, as HTTP has it. */

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
