import fc from "fast-check";
import { expect, test } from "vitest";
import { isRefusal } from "./errors.ts";
import { type KeepRule, keepReleasesInWords, parseKeepReleases } from "./keep-releases.ts";

const newest = (count: number): KeepRule => ({ kind: "newest", count });
const days = (count: number): KeepRule => ({ kind: "days", count });
const every: KeepRule = { kind: "every" };

test.each<[string, KeepRule[]]>([
  ["keep the last 20 releases, and everything deployed", [newest(20)]],
  ["the last 1 release", [newest(1)]],
  ["Keep everything deployed AND keep releases of the last 90 days", [days(90)]],
  ["the releases of the last 2 weeks,last 5 releases", [days(14), newest(5)]],
  ["  keep every release\n", [every]],
  ["everything deployed", []],
])("%j is understood", (text, rules) => {
  expect(parseKeepReleases(text)).toEqual(rules);
});

test.each([
  ["20", "character 1: `20` is no rule", "Write `the last 20 releases`."],
  ["keep the last 20 relaeses", "character 18: `relaeses` where", "Did you mean `releases`?"],
  ["the last 20 releases, evrything deployed", "character 23: `evrything` where", "Did you mean `everything`?"],
  ["the last many releases", "character 10: `many` where a number is expected", "Rules are"],
  ["the last 0 releases", "character 10: `0` where a number is expected", "Rules are"],
  ["the last 20 releases of orders", "character 22: `of` where the end of the rule is expected", "Rules are"],
  ["the last 20", "character 12: nothing where one of `release`, `releases` is expected", "Rules are"],
  ["the last 20 releases,", "character 22: nothing where", "Rules are"],
  ["the releases of the last 9999 weeks", "character 26: `9999` is more than 5200", "Rules are"],
  ["the last 999999 releases", "character 10: `999999` is more than 100000", "Rules are"],
])("%j is refused with the place, and with what to write", (text, message, fix) => {
  const refused = parseKeepReleases(text);
  expect(refused).toMatchObject({ refused: "config.invalid" });
  expect(isRefusal(refused) && [refused.message, refused.fix]).toEqual([
    expect.stringContaining(message),
    expect.stringContaining(fix),
  ]);
});

const anyRule = fc.oneof(
  fc.integer({ min: 1, max: 100_000 }).map(newest),
  fc.integer({ min: 1, max: 36_500 }).map(days),
  fc.constant(every),
);

test("rules that are written in words read as the same rules", () => {
  fc.assert(
    fc.property(fc.array(anyRule), (rules) => {
      expect(parseKeepReleases(keepReleasesInWords(rules))).toEqual(rules);
    }),
  );
});

test("whatever is written is either rules or refused with a place in it", () => {
  const word = fc.constantFrom(
    ..."keep the last 20 releases of days weeks every release and everything deployed , 0 x".split(" "),
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join(" ")),
  );
  fc.assert(
    fc.property(text, (given) => {
      const read = parseKeepReleases(given);
      const column = isRefusal(read) ? Number(/^character (\d+): /.exec(read.message)?.[1]) : 1;
      expect(column).toBeGreaterThanOrEqual(1);
      expect(column).toBeLessThanOrEqual(given.length + 1);
      if (!isRefusal(read)) expect(parseKeepReleases(keepReleasesInWords(read))).toEqual(read);
    }),
    { numRuns: 1000 },
  );
});
