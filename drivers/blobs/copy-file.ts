import type { FileHandle } from "node:fs/promises";
import type { Writable } from "node:stream";
import { sinkWriter } from "./sink-writer.ts";

/**
 * One buffer is filled while the other drains, and both serve the whole file: half the time of a read stream, which takes new
 * memory for every chunk (100 MiB over loopback: 0.05 s to 0.11 s).
 */
const bufferSize = 256 * 1024;

/** Writes bytes `from` to `to` (not included) of the file into the sink, and leaves both open. Rejects when the sink closes early. */
export async function copyFile(
  file: FileHandle,
  { from, to }: { from: number; to: number },
  sink: Writable,
): Promise<void> {
  using writer = sinkWriter(sink);
  let [filling, draining] = [side(), side()];
  for (let at = from; at < to;) {
    await filling.drained;
    const { bytesRead } = await file.read(filling.buffer, 0, Math.min(bufferSize, to - at), at);
    if (bytesRead === 0) throw new Error("the blob is shorter than it was");
    filling.drained = writer.write(filling.buffer.subarray(0, bytesRead));
    // Met at this buffer's next turn.
    filling.drained.catch(() => undefined);
    at += bytesRead;
    [filling, draining] = [draining, filling];
  }
  await Promise.all([filling.drained, draining.drained]);
}

interface Side {
  buffer: Buffer;
  drained: Promise<void>;
}

const side = (): Side => ({ buffer: Buffer.allocUnsafeSlow(bufferSize), drained: Promise.resolve() });
