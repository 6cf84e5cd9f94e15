import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";

type Chunk = Buffer<ArrayBuffer>;

/** So much may wait for whoever reads. */
const mostWaiting = 256 * 1024;

/**
 * The body's bytes as they come, each chunk only until the next is asked for: then its memory is given back. Left to the collector,
 * every 64 MiB that come have it look through all that is alive, which was half of what an upload took of the processors. Leaving the
 * loop early keeps the connection, so that the reason can still be answered.
 */
export async function* bytesOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  let [waiting, bytes] = [[] as Chunk[], 0];
  let more = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const onData = (chunk: Chunk) => {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes >= mostWaiting) request.pause();
    more.resolve();
  };
  const unwatch = finished(request, { writable: false }, (error) => (error ? end.reject(error) : end.resolve()));
  let isOver = false;
  const over = () => {
    isOver = true;
    more.resolve();
  };
  end.promise.then(over, over);
  request.on("data", onData);
  try {
    while (!isOver || waiting.length > 0) {
      await more.promise;
      more = Promise.withResolvers();
      const taken = waiting;
      [waiting, bytes] = [[], 0];
      request.resume();
      for (const chunk of taken) {
        yield chunk;
        giveBack(chunk);
      }
    }
    await end.promise;
  } finally {
    request.off("data", onData);
    unwatch();
  }
}

/** A chunk that has its memory for itself. */
function giveBack({ buffer, byteLength }: Chunk): void {
  if (buffer.byteLength === byteLength) buffer.transfer(0);
}
