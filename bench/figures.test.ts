import { expect, test } from "vitest";
import { median, quantile, round } from "./figures.ts";

test("the median lies in the middle, between the two middle ones of an even number", () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
});

test("a quantile of one value is that value", () => {
  expect(quantile([7], 0.95)).toBe(7);
});

test("rounding keeps the digits asked for", () => {
  expect([round(1.2345), round(12.5, 0)]).toEqual([1.23, 13]);
});
