import { expect, test } from "vitest";
import { rowsOf } from "./log-rows.ts";

const groups = [{ line: 3 }, { line: 6 }, { line: 10 }];
const seen = (total: number, open: number[]) => {
  const rows = rowsOf(total, groups, ({ line }) => open.includes(line));
  return Array.from({ length: rows.count }, (_, row) => rows.lineAt(row));
};

test("of a closed group only the heading is seen, of an open one all lines, and what stands before the first group", () => {
  expect(seen(12, [])).toEqual([1, 2, 3, 6, 10]);
  expect(seen(12, [6])).toEqual([1, 2, 3, 6, 7, 8, 9, 10]);
  expect(seen(12, [3, 6, 10])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test("a log without groups is seen whole, and one that is shorter than its groups as far as it goes", () => {
  expect(rowsOf(3, [], () => false).count).toBe(3);
  expect(seen(7, [6])).toEqual([1, 2, 3, 6, 7]);
  expect(rowsOf(0, [], () => false).count).toBe(0);
});

test("the row of a line that is not seen is that of its heading", () => {
  const rows = rowsOf(12, groups, ({ line }) => line === 6);
  expect([1, 3, 4, 6, 9, 11].map(rows.rowOf)).toEqual([0, 2, 2, 3, 6, 7]);
});
