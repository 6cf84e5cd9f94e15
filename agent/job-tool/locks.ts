/** Locks of an agent, by which its jobs share what the machine has only once. They live as long as the agent. */
import { EventEmitter, once } from "node:events";
import { newId } from "#kernel/clock.ts";

export interface Locks {
  /** Waits until the lock is free, and answers the token of its holder. Rejects when the signal comes first. */
  acquire(key: string, owner: string, signal: AbortSignal): Promise<string>;
  /** Answers whether the token held it. */
  release(key: string, token: string): boolean;
  /** `do` for the first; `done` for all others, once the first has said so. */
  doOnce(key: string, owner: string, signal: AbortSignal): Promise<"do" | "done">;
  /** Answers whether somebody was at it. */
  done(key: string): boolean;
  /** The token of the holder, `doing`, `done`, or nothing. */
  state(key: string): string;
  /** What a job that has ended still held is free. */
  releaseAll(owner: string): void;
}

export class TooManyLocks extends Error {}
const mostLocks = 10_000;

interface Held {
  state: string;
  owner: string;
}

export function createLocks(): Locks {
  const held = new Map<string, Held>();
  const changes = new EventEmitter().setMaxListeners(0);

  function set(key: string, lock: Held): void {
    if (held.size >= mostLocks) throw new TooManyLocks(`this agent has ${mostLocks} locks`);
    held.set(key, lock);
  }

  function free(key: string): void {
    held.delete(key);
    changes.emit("change");
  }

  async function untilFree(key: string, signal: AbortSignal): Promise<Held | undefined> {
    for (let lock = held.get(key); lock && lock.state !== "done"; lock = held.get(key))
      await once(changes, "change", { signal });
    return held.get(key);
  }

  return {
    async acquire(key, owner, signal) {
      await untilFree(key, signal);
      const state = newId();
      set(key, { state, owner });
      return state;
    },
    release(key, token) {
      if (held.get(key)?.state !== token) return false;
      free(key);
      return true;
    },
    async doOnce(key, owner, signal) {
      if (await untilFree(key, signal)) return "done";
      set(key, { state: "doing", owner });
      return "do";
    },
    done(key) {
      const lock = held.get(key);
      if (lock?.state !== "doing") return false;
      lock.state = "done";
      changes.emit("change");
      return true;
    },
    state: (key) => held.get(key)?.state ?? "",
    releaseAll(owner) {
      for (const [key, lock] of held) if (lock.owner === owner && lock.state !== "done") free(key);
    },
  };
}
