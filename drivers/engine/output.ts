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
  for await (const parts of framesIn(pieces)) {
    const all = parts.map(({ bytes }) => bytes);
    yield all.length === 1 ? (all[0] ?? Buffer.alloc(0)) : Buffer.concat(all);
  }
}

/** Only what a program writes as its output; what it writes as errors goes to `errors`, which is waited for. */
export async function* outputOf(
  pieces: AsyncIterable<Buffer>,
  errors: (bytes: Buffer) => void | Promise<void>,
): AsyncIterable<Buffer> {
  for await (const parts of framesIn(pieces))
    for (const { stream, bytes } of parts)
      if (stream === 2) await errors(bytes);
      else yield bytes;
}

interface Part {
  /** 1: output, 2: errors. */
  stream: number;
  bytes: Buffer;
}

async function* framesIn(pieces: AsyncIterable<Buffer>): AsyncIterable<Part[]> {
  let header = Buffer.alloc(0);
  let [left, stream] = [0, 0];
  for await (const piece of pieces) {
    const parts: Part[] = [];
    for (let at = 0; at < piece.length;) {
      if (left > 0) {
        const bytes = piece.subarray(at, at + left);
        at += bytes.length;
        left -= bytes.length;
        parts.push({ stream, bytes });
      } else {
        const missing = piece.subarray(at, at + 8 - header.length);
        at += missing.length;
        header = Buffer.concat([header, missing]);
        if (header.length < 8) continue;
        [left, stream] = [header.readUInt32BE(4), header[0] ?? 0];
        header = Buffer.alloc(0);
      }
    }
    if (parts.length > 0) yield parts;
  }
}

/** Lines of text, without the last line's missing end, each at most `widest` characters. */
export function linesOf(bytes: Buffer, widest = 16 * 1024): string[] {
  const lines = bytes.toString().split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.slice(0, widest));
}
