import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "./log.ts";

/** Longer than any end that goes well: open requests get 10 s, PostgreSQL 20 s. */
const patienceMs = 30_000;

/**
 * The part, with an end that is waited for no longer than `patienceMs`: one that hangs is named in the log and left behind, so
 * that the parts below it still end. All of them survive a kill, so nothing is lost by it.
 */
export function stopInTime<T extends AsyncDisposable>(name: string, part: T, log: Log, waitMs = patienceMs): T {
  const end = part[Symbol.asyncDispose].bind(part);
  return Object.assign(part, {
    async [Symbol.asyncDispose]() {
      const ended = end().then(() => true);
      const over = new AbortController();
      const late = sleep(waitMs, false, { signal: over.signal }).catch(() => true);
      const inTime = await Promise.race([ended, late]);
      over.abort();
      if (!inTime) log.error({ part: name }, `${name} did not end within ${waitMs / 1000} s and is left behind`);
    },
  });
}
