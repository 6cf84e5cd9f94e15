/** Byte ranges of an upload's parts, as `Content-Range` names them. */
import type { ByteRange } from "#kernel/byte-range.ts";

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
