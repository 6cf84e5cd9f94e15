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
