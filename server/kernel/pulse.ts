/** Tells those who listen to look again at what changes all the time, for as long as somebody looks at it. */

export interface Pulse {
  /** Somebody has looked. */
  looked(): void;
  /** Calls back at each beat; returns the way to stop. */
  listen(beat: () => void): () => void;
}

interface Options {
  /** Between two beats. */
  everyMs?: number;
  /** After the last look. */
  restAfterMs?: number;
}

export function createPulse({ everyMs = 5_000, restAfterMs = 20_000 }: Options = {}): Pulse {
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  const beat = () => {
    if (performance.now() - last > restAfterMs) {
      clearInterval(timer);
      timer = undefined;
    } else listeners.forEach((each) => each());
  };
  return {
    looked() {
      last = performance.now();
      timer ??= setInterval(beat, everyMs).unref();
    },
    listen(each) {
      listeners.add(each);
      return () => void listeners.delete(each);
    },
  };
}
