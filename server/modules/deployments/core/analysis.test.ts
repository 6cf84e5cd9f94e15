import fc from "fast-check";
import { expect, test } from "vitest";
import { judge } from "./analysis.ts";
import { addTimes, countOf, quantileOf } from "./histogram.ts";
import { markWatch, startWatch, type Tally, watchOn } from "./watch.ts";

const rules = { errors: 5, slower: 1.5, requests: 50 };
const none: Tally = { requests: 0, errors: 0 };

interface Side {
  requests: number;
  errors?: number;
  ms?: number;
}

function watched(fresh: Side, old: Side) {
  const look = (a: Tally, z: Tally) => ({ epoch: "one", fresh: { a }, old: { z } });
  const times = (side: Side) =>
    side.ms === undefined ? [] : Array.from({ length: side.requests }, () => side.ms ?? 0);
  const tally = ({ requests, errors = 0 }: Side) => ({ requests, errors });
  return watchOn(startWatch(look(none, none)), {
    ...look(tally(fresh), tally(old)),
    times: { cursor: "1", fresh: times(fresh), old: times(old) },
  });
}

test("a release that is slower than the one before at the same time is told by both figures", () => {
  const verdict = judge(watched({ requests: 412, ms: 310 }, { requests: 3000, ms: 120 }), rules, "release 2");
  expect(verdict.worse).toMatch(/^p95 3\d\d ms against 1[12]\d ms of release 2, 412 requests$/);
});

test("one that does as well says so with its figures", () => {
  const verdict = judge(
    watched({ requests: 100, errors: 1, ms: 100 }, { requests: 900, errors: 9, ms: 100 }),
    rules,
    "release 2",
  );
  expect(verdict).toMatchObject({ enough: true, words: expect.stringMatching(/1 % failed against 1 %, 100 requests/) });
  expect(verdict.worse).toBeUndefined();
});

test.each([
  ["more errors than are allowed and than before", { requests: 100, errors: 11 }, { requests: 900, errors: 45 }, true],
  ["errors that the release before has as well", { requests: 100, errors: 9 }, { requests: 900, errors: 45 }, false],
  ["few requests, all failed", { requests: 25, errors: 25 }, { requests: 0 }, true],
  ["fewer requests than prove anything", { requests: 20, errors: 4 }, { requests: 900 }, false],
  ["a slow answer now and then", { requests: 10, ms: 9000 }, { requests: 900, ms: 10 }, false],
  ["a difference that nobody feels", { requests: 100, ms: 25 }, { requests: 900, ms: 8 }, false],
  ["slower, and nobody to compare with", { requests: 100, ms: 900 }, { requests: 3, ms: 8 }, false],
])("%s", (_, fresh, old, worse) => {
  expect(judge(watched(fresh, old), rules, "release 2").worse !== undefined).toBe(worse);
});

test("a limit of its own holds without anybody to compare with, but not where the release before is beyond it too", () => {
  const slow = { requests: 100, ms: 900 };
  expect(judge(watched(slow, { requests: 0 }), { ...rules, p95: 500 }, "release 2").worse).toContain(
    "500 ms are allowed",
  );
  expect(judge(watched(slow, slow), { ...rules, p95: 500 }, "release 2").worse).toBeUndefined();
});

test("another share of the traffic is compared anew", () => {
  const before = watched({ requests: 100, errors: 50, ms: 900 }, { requests: 900, ms: 8 });
  expect(judge(markWatch(before), rules, "release 2")).toMatchObject({ enough: false });
});

test("a histogram keeps count and order, and is right within three in a hundred", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 200 }), (times) => {
      const histogram = addTimes({}, times);
      expect(countOf(histogram)).toBe(times.length);
      const exact = times.toSorted((a, b) => a - b)[Math.ceil(0.95 * times.length) - 1] ?? 0;
      expect(Math.abs(quantileOf(histogram, 0.95) - exact)).toBeLessThanOrEqual(1 + exact * 0.03);
    }),
  );
});
