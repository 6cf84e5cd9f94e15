import { expect, test } from "vitest";
import { pauseMs } from "./notifications.ts";

test("a receiver is asked again for the better part of a day, and then no more", () => {
  const pauses = Array.from({ length: 12 }, (_, tries) => pauseMs(tries + 1));
  const total = pauses.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  expect(total).toBeGreaterThan(12 * 3_600_000);
  expect(total).toBeLessThan(24 * 3_600_000);
  expect(pauses.at(-1)).toBeUndefined();
});
