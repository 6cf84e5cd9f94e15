import { expect, test } from "vitest";
import { type Look, startWatch, verdict, watchOn } from "./watch.ts";

const none = { requests: 0, errors: 0 };
const look = (requests: number, errors: number, more: Partial<Look> = {}): Look => ({
  ...{ epoch: "one", fresh: { a: { requests, errors } }, old: {} },
  ...more,
});
const start = (old = none) => startWatch({ ...look(0, 0), old: { z: old } });
const judge = (given: Look, old = none) => verdict(watchOn(start(old), { ...given, old: { z: old } }), given);

test.each([
  ["no traffic at all is no failure", 0, 0],
  ["two errors prove nothing", 2, 2],
  ["one request in twenty may fail", 100, 5],
])("%s", (_, requests, errors) => {
  expect(judge(look(requests, errors))).toBeUndefined();
});

test("more than one failed request in twenty takes the release back", () => {
  expect(judge(look(100, 6))).toBe("6 of 100 requests failed (6 %)");
});

test("a release is not blamed for what the one before did as often", () => {
  const old = { requests: 100, errors: 20 };
  expect(judge(look(100, 35), old)).toBeUndefined();
  expect(judge(look(100, 41), old)).toBe("41 of 100 requests failed (41 %; before, 20 % did)");
});

test("counters that begin anew lose nothing that was seen", () => {
  const first = startWatch(look(10, 1));
  const before = watchOn(first, look(20, 3));
  const after = watchOn(before, look(500, 50, { epoch: "two" }));
  expect(after.fresh.seen).toEqual({ requests: 10, errors: 2 });
  expect(watchOn(after, look(510, 51, { epoch: "two" })).fresh.seen).toEqual({ requests: 20, errors: 3 });
});

test("an instance that comes later is counted from when it came, whoever had its slot before", () => {
  const first = watchOn(startWatch(look(0, 0)), look(10, 0));
  const joined = watchOn(
    first,
    look(10, 0, { fresh: { a: { requests: 12, errors: 0 }, b: { requests: 500, errors: 99 } } }),
  );
  expect(joined.fresh.seen).toEqual({ requests: 12, errors: 0 });
  const later = watchOn(
    joined,
    look(0, 0, { fresh: { a: { requests: 12, errors: 0 }, b: { requests: 503, errors: 99 } } }),
  );
  expect(later.fresh.seen).toEqual({ requests: 15, errors: 0 });
  expect(
    watchOn(later, look(0, 0, { fresh: { b: { requests: 504, errors: 100 } } })).fresh.seen.requests,
  ).toBeGreaterThan(14);
});

test("an instance has to be unhealthy three times in a row", () => {
  const sick = look(0, 0, { unhealthy: "orders-1 is not healthy any more: 503" });
  const twice = watchOn(watchOn(start(), sick), sick);
  expect(verdict(twice, sick)).toBeUndefined();
  expect(watchOn(twice, look(0, 0)).unhealthy).toBe(0);
  expect(verdict(watchOn(twice, sick), sick)).toBe("orders-1 is not healthy any more: 503");
});
