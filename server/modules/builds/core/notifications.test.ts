import { expect, test } from "vitest";
import { pauseMs, shownAddress } from "./notifications.ts";

test("a receiver is asked again for the better part of a day, and then no more", () => {
  const pauses = Array.from({ length: 12 }, (_, tries) => pauseMs(tries + 1));
  const total = pauses.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  expect(total).toBeGreaterThan(12 * 3_600_000);
  expect(total).toBeLessThan(24 * 3_600_000);
  expect(pauses.at(-1)).toBeUndefined();
});

test("of an address people see where it leads, and nothing that may be its secret", () => {
  expect(shownAddress("https://chat.example.com:8443/hooks/T0123/secret?token=x")).toBe(
    "https://chat.example.com:8443/hooks/T0123…",
  );
  expect(shownAddress("https://one.example/hook")).toBe("https://one.example/hook");
});
