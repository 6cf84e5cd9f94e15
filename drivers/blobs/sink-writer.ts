import type { Writable } from "node:stream";

export interface SinkWriter extends Disposable {
  /** Settles when the sink is done with the chunk, or has failed or closed. */
  write(chunk: Uint8Array): Promise<void>;
}

/** Writes to a sink that may go away at any moment: then every write rejects, those under way too. */
export function sinkWriter(sink: Writable): SinkWriter {
  const closed = Promise.withResolvers<never>();
  // Each write meets it in its race; without a write it is nobody's surprise.
  closed.promise.catch(() => undefined);
  const onClose = () => closed.reject(new Error("the reader went away"));
  sink.once("close", onClose);
  return {
    write(chunk) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      sink.write(chunk, (error) => (error ? reject(error) : resolve()));
      return Promise.race([promise, closed.promise]);
    },
    [Symbol.dispose]: () => void sink.off("close", onClose),
  };
}
