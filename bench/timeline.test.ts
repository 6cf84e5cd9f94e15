import { expect, test } from "vitest";
import { covered } from "./timeline.ts";

test("time that several spans share counts once, and gaps not at all", () => {
  expect(covered([])).toBe(0);
  expect(
    covered([
      [10, 20],
      [0, 5],
      [12, 25],
      [13, 14],
    ]),
  ).toBe(20);
});
