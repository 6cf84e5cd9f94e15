import { expect, test } from "vitest";
import { matchesBranch } from "./branch-pattern.ts";

test.each([
  ["main", "main", true],
  ["main", "main2", false],
  ["release/*", "release/1.2", true],
  ["main release/*", "release/", true],
  ["*-fix", "a-fix", true],
  ["a*b*c", "axxbyyc", true],
  ["a*b*c", "acb", false],
  ["ab*ba", "aba", false],
  ["!main", "other", true],
  ["!main", "main", false],
  ["* !wip/*", "wip/x", false],
])("`%s` on %s is %s", (patterns, branch, expected) => {
  expect(matchesBranch(patterns, branch)).toBe(expected);
});
