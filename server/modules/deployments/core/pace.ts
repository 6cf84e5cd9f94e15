/**
 * How long until a deployment is looked at again. One that waits alone is looked at often, of many each more seldom: all looks
 * together take no more from the machine, on which the wait depends, than those at one alone.
 */

export interface Pace {
  /** Milliseconds until the next look, after one in the phase `before` that led to the phase `after`; 0 when it went on. */
  pause(deployment: string, before: string | null, after: string | null): number;
  /** It is not looked at any more. */
  end(deployment: string): void;
}

export interface Intervals {
  /** Between two looks at something that is about to change, where it is the only one; never more than `watchPollMs`. */
  pollMs: number;
  /** Between two looks while a release is watched. */
  watchPollMs: number;
}

const watching: ReadonlySet<string | null> = new Set(["watch", "observe", "hold"]);

export function createPace({ pollMs, watchPollMs }: Intervals): Pace {
  const waiting = new Set<string>();
  return {
    pause(deployment, before, after) {
      waiting.delete(deployment);
      if (before !== after) return 0;
      if (watching.has(after)) return watchPollMs;
      waiting.add(deployment);
      return Math.min(pollMs * waiting.size, Math.max(pollMs, watchPollMs));
    },
    end: (deployment) => void waiting.delete(deployment),
  };
}
