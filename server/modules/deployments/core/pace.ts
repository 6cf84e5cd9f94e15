/**
 * How long until a deployment is looked at again. One that waits alone is looked at often, of many each more seldom: all looks
 * together take no more from the machine, on which the wait depends, than those at one alone. And whose traffic has moved lets those
 * go first whose traffic has not: what it has yet to do can wait, while the old releases of the others serve on.
 */
import type { Rollout } from "./rollout.ts";

export interface Pace {
  /** Milliseconds until the next look, after one that led from `before` to `after`; 0 when it goes on. */
  pause(deployment: string, before: Seen | null, after: Seen | null): number;
  /** It is not looked at any more. */
  end(deployment: string): void;
}

type Seen = Pick<Rollout, "phase" | "liveAt">;

export interface Intervals {
  /** Between two looks at something that is about to change, where it is the only one; never more than `watchPollMs`. */
  pollMs: number;
  /** Between two looks while a release is watched. */
  watchPollMs: number;
}

const watching: ReadonlySet<string> = new Set(["watch", "observe", "hold"]);
const coming: ReadonlySet<string> = new Set(["plan", "prepare", "pull", "migrate", "start", "probe", "swap"]);
/** About what a machine of two cores takes to start an instance. */
const letOneGoMs = 250;
/** A release that does badly must not be noticed much later than alone. */
const letGoMostMs = 10_000;

export function createPace({ pollMs, watchPollMs }: Intervals): Pace {
  const waiting = new Set<string>();
  /** Their traffic has yet to move. */
  const before = new Set<string>();
  const letOthersGo = () => Math.min(letOneGoMs * before.size, letGoMostMs);
  return {
    pause(deployment, from, to) {
      waiting.delete(deployment);
      before.delete(deployment);
      if (!to) return 0;
      if (coming.has(to.phase) && to.liveAt === undefined) before.add(deployment);
      if (from?.phase !== to.phase) return isOver(from, to) ? letOthersGo() : 0;
      if (watching.has(to.phase)) return watchPollMs;
      waiting.add(deployment);
      return Math.min(pollMs * waiting.size, Math.max(pollMs, watchPollMs));
    },
    end(deployment) {
      waiting.delete(deployment);
      before.delete(deployment);
    },
  };
}

/** All its traffic has just moved, or nothing is left but to end what served before. */
function isOver(from: Seen | null, to: Seen): boolean {
  return to.phase === "stop" || (to.liveAt !== undefined && from?.liveAt === undefined);
}
