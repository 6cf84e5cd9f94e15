const notice = (limit: number) =>
  Buffer.from(`\n[towline] The log is cut here: it is longer than ${Math.round(limit / 1024 / 1024)} MiB.\n`);

/**
 * What of a chunk goes into a file of `size` bytes: all of it, the part up to the limit with a closing line, or nothing
 * once that line is there. The file never grows beyond the limit and that line.
 */
export function withinLimit(size: number, chunk: Buffer, limit: number): Buffer {
  if (size > limit) return Buffer.alloc(0);
  if (size + chunk.length <= limit) return chunk;
  return Buffer.concat([chunk.subarray(0, limit - size), notice(limit)]);
}
