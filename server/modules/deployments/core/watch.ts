/** How a release that has traffic does, from the balancer's counts and times. */
import { addTimes, type Histogram } from "./histogram.ts";

export interface Tally {
  requests: number;
  errors: number;
}

/** By instance. */
export type Counts = Record<string, Tally>;

/** What one side came to, over restarts of the counters. */
export interface Counting {
  /** What the counters said of each instance when it was first seen in this epoch. */
  base: Counts;
  /** Counted in earlier epochs. */
  carried: Tally;
  seen: Tally;
}

export interface Watch {
  /** Life of the counters; a new one counts from zero. */
  epoch: string;
  fresh: Counting;
  /** The release before, in the same time. */
  old: Counting;
  /** What was seen when the present share of the traffic began. */
  mark: { fresh: Tally; old: Tally };
  /** Times since then. */
  times: { fresh: Histogram; old: Histogram };
  /** Up to where the log of requests was read. */
  cursor?: string;
  /** Share of failed requests of the old instances before the first shift. */
  usualShare: number;
  /** Looks in a row at which an instance was not healthy. */
  unhealthy: number;
}

export interface Look {
  epoch: string;
  fresh: Counts;
  old: Counts;
  times?: { cursor: string; fresh: readonly number[]; old: readonly number[] };
  /** An instance that is not healthy, in half a sentence. */
  unhealthy?: string;
}

/** Fewer failed requests than this prove nothing. */
const fewestErrors = 3;
const allowedShare = 0.05;
/** An old release that was called too seldom says nothing about what is usual. */
const fewestRequests = 20;
/** One missed check can be a busy machine. */
const mostUnhealthyLooks = 3;

const none: Tally = { requests: 0, errors: 0 };

export function startWatch({ epoch, fresh, old, times }: Look): Watch {
  const before = Object.values(old).reduce(plus, none);
  return {
    epoch,
    fresh: { base: fresh, carried: none, seen: none },
    old: { base: old, carried: none, seen: none },
    mark: { fresh: none, old: none },
    times: { fresh: {}, old: {} },
    ...(times ? { cursor: times.cursor } : {}),
    usualShare: before.requests < fewestRequests ? 0 : before.errors / before.requests,
    unhealthy: 0,
  };
}

/** Another share of the traffic begins: what is compared is counted from here. */
export function markWatch(watch: Watch): Watch {
  return { ...watch, mark: { fresh: watch.fresh.seen, old: watch.old.seen }, times: { fresh: {}, old: {} } };
}

export function watchOn(watch: Watch, { epoch, fresh, old, times, unhealthy }: Look): Watch {
  const same = epoch === watch.epoch;
  return {
    ...watch,
    epoch,
    fresh: countOn(watch.fresh, fresh, same),
    old: countOn(watch.old, old, same),
    unhealthy: unhealthy === undefined ? 0 : watch.unhealthy + 1,
    ...(times
      ? {
          cursor: times.cursor,
          times: { fresh: addTimes(watch.times.fresh, times.fresh), old: addTimes(watch.times.old, times.old) },
        }
      : {}),
  };
}

function countOn({ base, carried, seen }: Counting, counts: Counts, same: boolean): Counting {
  if (!same) return { base: counts, carried: seen, seen };
  const known = { ...counts, ...base };
  const since = Object.entries(counts).map(([name, count]) => minus(count, known[name] ?? count));
  // An instance that has left keeps what it was counted for.
  const gone = Object.keys(base).some((name) => !(name in counts));
  const now = since.reduce(plus, carried);
  if (!gone) return { base: known, carried, seen: now };
  return { base: counts, carried: seen, seen };
}

/** Why the release must go, or undefined. */
export function verdict({ fresh, old, usualShare, unhealthy }: Watch, look: Look): string | undefined {
  if (look.unhealthy !== undefined && unhealthy >= mostUnhealthyLooks) return look.unhealthy;
  const { seen } = fresh;
  const usual = old.seen.requests < fewestRequests ? usualShare : Math.max(usualShare, shareOf(old.seen));
  if (seen.errors < fewestErrors || shareOf(seen) <= Math.max(allowedShare, 2 * usual)) return undefined;
  const before = usual > 0 ? `; before, ${percent(usual)} did` : "";
  return `${seen.errors} of ${Math.max(seen.requests, seen.errors)} requests failed (${percent(shareOf(seen))}${before})`;
}

export function shareOf({ requests, errors }: Tally): number {
  return errors / Math.max(requests, errors, 1);
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

export function plus(left: Tally, right: Tally): Tally {
  return { requests: left.requests + right.requests, errors: left.errors + right.errors };
}

export function minus(left: Tally, right: Tally): Tally {
  return { requests: left.requests - right.requests, errors: left.errors - right.errors };
}
