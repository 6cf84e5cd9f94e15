/** Whether a release that has just got the traffic does well, from the balancer's counts. */
import type { Tally, Watch } from "./rollout.ts";

/** Fewer failed requests than this prove nothing. */
const fewestErrors = 3;
const allowedShare = 0.05;
/** An old release that was called too seldom says nothing about what is usual. */
const fewestRequests = 20;
/** One missed check can be a busy machine. */
const mostUnhealthyLooks = 3;

export interface Look {
  epoch: string;
  counted: Tally;
  /** An instance that is not healthy, in half a sentence. */
  unhealthy?: string;
}

export function startWatch(epoch: string, counted: Tally, old: Tally): Watch {
  const usualShare = old.requests < fewestRequests ? 0 : old.errors / old.requests;
  const none = { requests: 0, errors: 0 };
  return { epoch, base: counted, carried: none, seen: none, usualShare, unhealthy: 0 };
}

export function watchOn(watch: Watch, { epoch, counted, unhealthy }: Look): Watch {
  const same = epoch === watch.epoch;
  const base = same ? watch.base : counted;
  const carried = same ? watch.carried : watch.seen;
  const seen = {
    requests: carried.requests + counted.requests - base.requests,
    errors: carried.errors + counted.errors - base.errors,
  };
  return { ...watch, epoch, base, carried, seen, unhealthy: unhealthy === undefined ? 0 : watch.unhealthy + 1 };
}

/** Why the release must go, or undefined. */
export function verdict({ seen, usualShare, unhealthy }: Watch, look: Look): string | undefined {
  if (look.unhealthy !== undefined && unhealthy >= mostUnhealthyLooks) return look.unhealthy;
  const share = seen.errors / Math.max(seen.requests, seen.errors, 1);
  if (seen.errors < fewestErrors || share <= Math.max(allowedShare, 2 * usualShare)) return undefined;
  const usual = usualShare > 0 ? `; before, ${percent(usualShare)} did` : "";
  return `${seen.errors} of ${Math.max(seen.requests, seen.errors)} requests failed (${percent(share)}${usual})`;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
