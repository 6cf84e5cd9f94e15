import { expect, test } from "vitest";
import { labelPoint, roundedPath } from "./rounded-path.ts";

const bent = [
  { x: 0, y: 0 },
  { x: 100, y: 0 },
  { x: 100, y: 50 },
  { x: 140, y: 50 },
];

test("corners are rounded, by no more than half of the way to the next one", () => {
  expect(roundedPath(bent)).toBe("M0 0L90 0Q100 0 100 10L100 40Q100 50 110 50L140 50");
  const near = [
    { x: 0, y: 0 },
    { x: 4, y: 0 },
    { x: 4, y: 4 },
  ];
  expect(roundedPath(near)).toBe("M0 0L2 0Q4 0 4 2L4 4");
  expect(roundedPath([])).toBe("");
});

test("a label stands on the longest flat piece", () => {
  expect(labelPoint(bent)).toEqual({ x: 50, y: 0 });
  expect(labelPoint([])).toEqual({ x: 0, y: 0 });
});
