import type { FileHandle } from "node:fs/promises";
import type { HashState } from "./hash-states.ts";

/** Chunks are gathered to this size, because a write a network packet costs more than the bytes do. */
const batchSize = 1024 * 1024;

/**
 * Hashes and writes the source at the end of the file; one batch is gathered while the one before is written. `state` is in
 * step with the file whenever this ends by the source's doing; after a failed write it is not, and neither may be used on.
 */
export async function appendTo(file: FileHandle, state: HashState, source: AsyncIterable<Uint8Array>): Promise<void> {
  let batch: Uint8Array[] = [];
  let gathered = 0;
  let writing = Promise.resolve();
  const flush = async () => {
    await writing;
    const [chunks, bytes] = [batch, gathered];
    [batch, gathered] = [[], 0];
    writing = write(file, chunks, bytes);
    // The rejection is met by the next `await writing`.
    writing.catch(() => undefined);
  };
  try {
    for await (const chunk of source) {
      state.hash.update(chunk);
      state.size += chunk.length;
      gathered += chunk.length;
      batch.push(chunk);
      if (gathered >= batchSize) await flush();
    }
  } finally {
    await flush();
    await writing;
  }
}

/** All of the chunks: a nearly full disk takes a part, and says why at the next write only. */
async function write(file: FileHandle, chunks: Uint8Array[], bytes: number): Promise<void> {
  if (bytes === 0) return;
  const { bytesWritten } = await file.writev(chunks);
  for (let done = bytesWritten; done < bytes;) {
    const rest = Buffer.concat(chunks).subarray(done);
    done += (await file.write(rest)).bytesWritten;
  }
}
