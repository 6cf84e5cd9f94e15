import { expect, test } from "vitest";
import type { Stack } from "#stack/stack.ts";
import { risksOf, type RiskFacts } from "./risks.ts";

interface Tuning {
  migrate?: string[];
  strategy?: Stack["rollout"]["strategy"];
  instances?: number;
  watchMs?: number;
}

function risks({ migrate, strategy = { kind: "blue-green" }, instances = 2, watchMs = 1 }: Tuning, more: object = {}) {
  const rollout = { strategy, watchMs, ...(migrate ? { migrate } : {}) };
  const stack = { environment: "production", release: { number: 5 }, instances, rollout } as unknown as Stack;
  const facts: RiskFacts = { stack, changes: [], from: 4, commits: 1, last: undefined };
  return risksOf({ ...facts, ...more });
}

test("an ordinary release has no risk to tell", () => {
  expect(risks({})).toEqual([]);
  expect(risks({}, { last: { release: 4, outcome: "succeeded", reason: null } })).toEqual([]);
});

test("what cannot be undone, and what leaves a gap, is told", () => {
  expect(risks({ migrate: ["migrate"] })).toEqual([expect.stringContaining("going back does not undo it")]);
  expect(risks({ strategy: { kind: "replace" } })).toEqual([expect.stringContaining("nothing serves in between")]);
  expect(risks({ instances: 1 })).toEqual([expect.stringContaining("One instance")]);
  expect(risks({ watchMs: 0 })).toEqual([expect.stringContaining("does not go back by itself")]);
});

test("where nothing serves yet, there is nothing to lose", () => {
  expect(risks({ strategy: { kind: "replace" }, instances: 1 }, { from: null })).toEqual([]);
});

test("how the last one ended is told, and that it was this very release", () => {
  const last = { release: 5, outcome: "rolled-back", reason: "7 of 9 requests failed\nlast lines" };
  expect(risks({}, { last })).toEqual([
    "This release was tried here last and was rolled back: 7 of 9 requests failed.",
  ]);
  expect(risks({}, { last: { ...last, release: 3 } })).toEqual([
    "The last deployment here, of release 3, was rolled back: 7 of 9 requests failed.",
  ]);
});

test("an older release and many commits at once are told", () => {
  expect(risks({}, { from: 9 })).toEqual(["Release 5 is older than release 9, which serves."]);
  expect(risks({}, { commits: 21 })).toEqual(["21 commits go at once."]);
});
