/**
 * Carries one deployment on, step by step, until it is finished or has to wait. What was decided is in the database before the
 * next step begins; whoever takes over after a crash does the step again that was not written down.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { KeyedLock } from "#kernel/keyed-lock.ts";
import { createPace } from "./core/pace.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { isNews, recordObservation } from "./record.ts";
import { perform } from "./steps/perform.ts";
import type { Work, World } from "./steps/step.ts";
import { type DeploymentRow, deploymentStore } from "./store.ts";

/** A worker that polls longer than this lets others have their turn. */
const turnMs = 2_000;
/** A wait longer than this is left to the queue of jobs. */
const longestSleepMs = 250;

export interface Advance {
  (deployment: string, stopping: AbortSignal): Promise<void>;
  /** Breaks off the step at work in this process, so that it sees a cancellation at once. */
  interrupt(deployment: string): void;
  isActive(deployment: string): boolean;
}

interface Turn {
  id: string;
  fence: number;
  known: DeploymentRow | undefined;
}

export function createAdvance(world: World, lifecycle: Lifecycle, turns: KeyedLock): Advance {
  const active = new Map<string, AbortController>();
  const pace = createPace(world.timing);
  const store = deploymentStore(world.db);

  /** @param known the row as the step before has left it a moment ago */
  async function step({ id, fence, known }: Turn, stopping: AbortSignal) {
    const before = known ?? (await store.one(id));
    if (before?.state !== "running" || before.fence !== fence) return undefined;
    const interrupted = new AbortController();
    active.set(id, interrupted);
    const done = await perform(world, before as Work, AbortSignal.any([stopping, interrupted.signal]));
    if (!isNews(before as Work, done.observation)) return { before, after: before };
    const after = await recordObservation({ db: world.db, lifecycle }, id, { fence, ...done });
    return after?.state === "running" ? { before, after } : undefined;
  }

  async function turn(id: string, stopping: AbortSignal): Promise<void> {
    const claimed = await store.claim(id);
    if (!claimed) return pace.end(id);
    const end = Date.now() + turnMs;
    let known: DeploymentRow | undefined;
    for (;;) {
      const stepped = await step({ id, fence: claimed.fence, known }, stopping);
      if (!stepped) return pace.end(id);
      const waitMs = pace.pause(id, stepped.before.rollout, stepped.after.rollout);
      if (stopping.aborted || waitMs > longestSleepMs || Date.now() > end) {
        const runAt = new Date(world.clock.now().getTime() + waitMs);
        return world.db.transaction().execute((tx) => lifecycle.queueAdvance(tx, id, { runAt }));
      }
      known = waitMs > 0 ? undefined : stepped.after;
      if (waitMs > 0) await sleep(waitMs);
    }
  }

  const advance = (id: string, stopping: AbortSignal) =>
    turns.hold(`turn ${id}`, () => turn(id, stopping).finally(() => active.delete(id)));
  return Object.assign(advance, {
    interrupt: (id: string) => active.get(id)?.abort(),
    isActive: (id: string) => active.has(id),
  });
}
