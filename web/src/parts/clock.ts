import { useSyncExternalStore } from "react";

/** A hook with the time in milliseconds, which is another every so often: one timer for the whole page, and none while nobody asks. */
export function createClock(tickMs: number): () => number {
  let now = Date.now();
  let timer: number | undefined;
  const watchers = new Set<() => void>();
  const watch = (watcher: () => void) => {
    now = Date.now();
    watchers.add(watcher);
    timer ??= window.setInterval(() => {
      now = Date.now();
      watchers.forEach((each) => each());
    }, tickMs);
    return () => {
      watchers.delete(watcher);
      if (watchers.size > 0) return;
      window.clearInterval(timer);
      timer = undefined;
    };
  };
  return () => useSyncExternalStore(watch, () => now);
}
