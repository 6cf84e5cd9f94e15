/** How often a password may be tried. Counted in this process: whoever restarts the server needs no password. */
import { LRUCache } from "lru-cache";
import { refuse, type Refusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";

/** What attempts are counted by, with how many of it may fail within a quarter of an hour. */
export interface Counted {
  key: string;
  most: number;
}

interface Attempts {
  /** Counts an attempt before it is made, so that many at once are no way around; refuses one too many, which is not counted. */
  begin(by: Counted[]): Refusal | undefined;
  /** It did not fail, so it does not count. */
  succeeded(by: Counted[]): void;
}

const windowMs = 15 * 60 * 1000;
/** More than can be tried within that time, as one hash takes a fifth of a second and they are made one after the other. */
const mostKeys = 20_000;

export function createAttempts(clock: Clock): Attempts {
  const tried = new LRUCache<string, { count: number; until: number }>({ max: mostKeys });

  function of(key: string) {
    const now = clock.now().getTime();
    const known = tried.get(key);
    return known && known.until > now ? known : { count: 0, until: now + windowMs };
  }

  return {
    begin(by) {
      const ends = by.map(({ key, most }) => ({ ...of(key), most })).filter(({ count, most }) => count >= most);
      if (ends.length > 0) return tooMany(Math.max(...ends.map(({ until }) => until)) - clock.now().getTime());
      for (const { key } of by) tried.set(key, { ...of(key), count: of(key).count + 1 });
    },
    succeeded(by) {
      for (const { key } of by) tried.set(key, { ...of(key), count: Math.max(0, of(key).count - 1) });
    },
  };
}

function tooMany(waitMs: number): Refusal {
  const retryAfterSeconds = Math.ceil(waitMs / 1000);
  const minutes = Math.ceil(waitMs / 60_000);
  const wait = minutes === 1 ? "a minute" : `${minutes} minutes`;
  return refuse("auth.too-many-attempts", `a password was wrong too often; try again in ${wait}`, {
    fix: "Until then come in with a token.",
    details: { retryAfterSeconds },
  });
}
