import { setTimeout as sleep } from "node:timers/promises";
import { errorCatalogue, isRefusal, type Refusal } from "#api/errors.ts";

/** A refusal that has nothing to do with what was asked: the server is away, stopping, without its database or disk. */
export function isPassing({ refused }: Refusal): boolean {
  return errorCatalogue[refused].status >= 500;
}

const pauses = { firstMs: 100, mostMs: 3_000 };

/** Repeats the call until the server answers, whatever it answers; undefined when the signal came first. */
export async function untilAnswered<T extends object>(
  call: () => Promise<T | Refusal>,
  signal: AbortSignal,
): Promise<T | Refusal | undefined> {
  for (let pauseMs = pauses.firstMs; !signal.aborted; pauseMs = Math.min(pauses.mostMs, pauseMs * 2)) {
    const answer = await call();
    if (!isRefusal(answer) || !isPassing(answer)) return answer;
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
  return undefined;
}

/** So long Towline's own server and registry are waited for: an upgrade or a crash takes less. */
export const patienceMs = 5 * 60_000;
const retries = { firstMs: 500, mostMs: 8_000 };

export interface Retries {
  signal: AbortSignal;
  /** How many milliseconds after the first try there may be another one after this failure; 0 where that would mend nothing. */
  patienceWith: (error: unknown) => number;
  /** Called before the pause to the next try. */
  onRetry?: (error: unknown) => Promise<void>;
}

/** Tries again what fails, and throws the last failure once the patience with it is over or the signal came. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { signal, patienceWith, onRetry }: Retries,
): Promise<T> {
  const began = performance.now();
  for (let pauseMs = retries.firstMs; ; pauseMs = Math.min(retries.mostMs, 2 * pauseMs)) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || performance.now() - began >= patienceWith(error)) throw error;
      await onRetry?.(error);
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}
