/** The output of a container as the engine sends it: frames of an 8-byte header (stream, length) and bytes. */

/** All that was written, both streams in order. */
export function unframe(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    parts.push(bytes.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(parts);
}

/** As `unframe`, for output that comes in pieces of any size; what came together stays together, for frames can be as short as a line. */
export async function* unframed(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let header = Buffer.alloc(0);
  let left = 0;
  for await (const piece of pieces) {
    const parts: Buffer[] = [];
    for (let at = 0; at < piece.length;) {
      if (left > 0) {
        const part = piece.subarray(at, at + left);
        at += part.length;
        left -= part.length;
        parts.push(part);
      } else {
        const missing = piece.subarray(at, at + 8 - header.length);
        at += missing.length;
        header = Buffer.concat([header, missing]);
        if (header.length < 8) continue;
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
      }
    }
    if (parts.length > 0) yield parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
  }
}

/** Lines of text, without the last line's missing end, each at most `widest` characters. */
export function linesOf(bytes: Buffer, widest = 16 * 1024): string[] {
  const lines = bytes.toString().split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.slice(0, widest));
}
