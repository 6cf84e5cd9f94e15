import { setTimeout as sleep } from "node:timers/promises";
import type { Wake } from "#kernel/wake.ts";

/** Hears a channel from its making to its disposal. */
export interface Ear extends Disposable {
  /** Ends when the channel rang since the last `wait` (or since the making), after `ms`, or when the signal fires. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function listen(wake: Pick<Wake, "on">, channel: string): Ear {
  let rung = Promise.withResolvers<void>();
  const off = wake.on(channel, () => rung.resolve());
  return {
    async wait(ms, signal) {
      const over = new AbortController();
      const timer = sleep(ms, undefined, { signal: AbortSignal.any([over.signal, signal]) }).catch(() => {});
      await Promise.race([rung.promise, timer]);
      over.abort();
      // In the same turn as the caller's next look, so nothing that rings after the look is missed.
      rung = Promise.withResolvers();
    },
    [Symbol.dispose]: off,
  };
}
