import { expect, test } from "vitest";
import { isTroubled, rateWords, shareWords, sumOf, timeWords } from "./figures.ts";

test("small figures are not rounded away, and large ones have no false digits", () => {
  expect([0, 0.02, 0.34, 9.96, 1234.5].map(rateWords)).toEqual(["0 /s", "< 0.1 /s", "0.3 /s", "10.0 /s", "1235 /s"]);
  expect([0, 0.0004, 0.0123, 0.5].map(shareWords)).toEqual(["0 %", "< 0.1 %", "1.2 %", "50 %"]);
  expect([null, 12, 1250].map(timeWords)).toEqual(["–", "12 ms", "1.3 s"]);
});

test("failures of many count by their requests, and the slowest time is told", () => {
  const busy = { requests: 90, failed: 0, p95: 20 };
  const broken = { requests: 10, failed: 1, p95: null };
  expect(sumOf([busy, broken])).toEqual({ requests: 100, failed: 0.1, p95: 20 });
  expect(sumOf([])).toEqual({ requests: 0, failed: 0, p95: null });
});

test("one in a hundred that fails is trouble, and where nobody asks is none", () => {
  expect(isTroubled({ requests: 5, failed: 0.01, p95: 1 })).toBe(true);
  expect(isTroubled({ requests: 5, failed: 0.009, p95: 1 })).toBe(false);
  expect(isTroubled({ requests: 0, failed: 1, p95: null })).toBe(false);
});
