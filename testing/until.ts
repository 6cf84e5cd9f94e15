import { setTimeout as sleep } from "node:timers/promises";

/** Waits until the condition holds; throws after the deadline (milliseconds) with what `describe` says. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { deadlineMs = 20_000, describe = () => String(condition) }: { deadlineMs?: number; describe?: () => string } = {},
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`still not so after ${deadlineMs} ms: ${describe()}`);
    await sleep(10);
  }
}
