import { setTimeout as sleep } from "node:timers/promises";

interface Patience {
  deadlineMs?: number;
  /** The longest time between two looks; more is for what stays so once it is. */
  lookMs?: number;
  describe?: () => string;
}

const soonestMs = 10;
/** Between two looks at what stays so once it is, and takes seconds. */
export const seldomMs = 500;

/**
 * Waits until the condition holds; throws after the deadline (milliseconds) with what `describe` says. Looks again after a
 * tenth of what it has waited: looking often would take from the processors that what is waited for needs.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { deadlineMs = 60_000, lookMs = 100, describe = () => String(condition) }: Patience = {},
): Promise<void> {
  const begin = Date.now();
  while (!(await condition())) {
    const waited = Date.now() - begin;
    if (waited > deadlineMs) throw new Error(`still not so after ${deadlineMs} ms: ${describe()}`);
    await sleep(Math.min(Math.max(waited / 10, soonestMs), lookMs));
  }
}
