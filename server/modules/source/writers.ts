/** The way by which anything moves a ref: one at a time for each repository, and the table follows before the next. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "#kernel/log.ts";
import { createKeyedLock } from "#kernel/keyed-lock.ts";

export interface Writers {
  /** Runs `work` alone; whatever it did to the refs is told before this settles, also when it throws. */
  write<T>(repository: string, actor: string | undefined, work: () => Promise<T>): Promise<T>;
}

interface Deps {
  reconcile(repository: string, actor: string | undefined): Promise<void>;
  log: Log;
  stopping: AbortSignal;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;

export function createWriters({ reconcile, log, stopping }: Deps): Writers {
  const turns = createKeyedLock();

  /** Tries until the database takes it. A stopping server leaves it to its next start. */
  async function follow(repository: string, actor: string | undefined): Promise<void> {
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
      try {
        return await reconcile(repository, actor);
      } catch (error) {
        log.warn({ err: error, repository }, "the refs of a repository could not be compared; trying again");
        if (stopping.aborted) throw error;
      }
      await sleep(pause, undefined, { signal: stopping }).catch(() => {});
    }
  }

  return {
    async write(repository, actor, work) {
      using _turn = await turns.take(repository);
      try {
        return await work();
      } finally {
        await follow(repository, actor);
      }
    },
  };
}
