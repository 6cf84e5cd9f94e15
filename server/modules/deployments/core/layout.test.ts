import { expect, test } from "vitest";
import { layoutsOf } from "./layout.ts";

const sides = { old: ["a1", "a2", "a3"], fresh: ["b1", "b2", "b3"] };
const told = (layouts: ReturnType<typeof layoutsOf>) => layouts.map(({ running }) => running.join(" "));

test("replace ends all old instances before a new one starts", () => {
  expect(told(layoutsOf({ kind: "replace" }, 0, sides))).toEqual(["a1 a2 a3", "", "b1 b2 b3"]);
});

test("rolling adds one and then removes one, as far as it is allowed", () => {
  expect(told(layoutsOf({ kind: "rolling", surge: 1, unavailable: 0 }, 0, sides))).toEqual([
    ...["a1 a2 a3", "a1 a2 a3 b1", "a2 a3 b1", "a2 a3 b1 b2", "a3 b1 b2", "a3 b1 b2 b3", "b1 b2 b3"],
  ]);
  expect(told(layoutsOf({ kind: "rolling", surge: 0, unavailable: 2 }, 0, sides))).toEqual([
    ...["a1 a2 a3", "a3", "a3 b1 b2", "b1 b2", "b1 b2 b3"],
  ]);
});

test("blue-green moves all the traffic at once, and the old ones run on", () => {
  const [, last] = layoutsOf({ kind: "blue-green" }, 0, sides);
  expect(last).toEqual({ running: [...sides.old, ...sides.fresh], weights: { b1: 100, b2: 100, b3: 100 } });
});

test("a canary starts as many new instances as its share of the traffic needs", () => {
  const steps = [10, 50].map((percent) => ({ percent, ms: 1, hold: false }));
  expect(told(layoutsOf({ kind: "canary", steps }, 0, sides))).toEqual([
    ...["a1 a2 a3", "a1 a2 a3 b1", "a1 a2 a3 b1 b2", "a1 a2 a3 b1 b2 b3"],
  ]);
});

/** What a canary of the new release gets of the traffic, in percent. */
function shareOfCanary(percent: number, counts: { old: number; fresh: number }): number {
  const [old, fresh] = [names("a", counts.old), names("b", counts.fresh)];
  const steps = [{ percent, ms: 0, hold: false }];
  const { weights = {} } = layoutsOf({ kind: "canary", steps }, 0, { old, fresh })[1] ?? {};
  const sum = (of: string[]) => of.reduce((total, name) => total + (weights[name] ?? 0), 0);
  return (sum(fresh) / (sum(old) + sum(fresh))) * 100;
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}${at}`);

test("a canary's share of the traffic is what was asked for, as near as weights from 1 to 256 come", () => {
  const counts = [1, 2, 3, 5, 8, 12];
  for (let percent = 1; percent < 100; percent++)
    for (const old of counts)
      for (const fresh of counts) {
        // An instance that runs gets 1 of 256 at least.
        const least = (old / (256 + old)) * 100;
        const away = Math.abs(shareOfCanary(percent, { old, fresh }) - percent);
        expect(away, `${percent} % for ${fresh} beside ${old}`).toBeLessThan(least + 1);
      }
});

test("a warm-up raises the share of what comes, little by little, and only where somebody else serves", () => {
  const shareOf = ({ weights }: { weights: Record<string, number> }) => {
    const all = Object.entries(weights);
    const fresh = all.filter(([name]) => name.startsWith("b")).reduce((sum, [, weight]) => sum + weight, 0);
    return Math.round((fresh / all.reduce((sum, [, weight]) => sum + weight, 0)) * 100);
  };
  const layouts = layoutsOf({ kind: "blue-green" }, 30_000, sides);
  expect(layouts.map(shareOf)).toEqual([0, 10, 40, 70, 100]);
  expect(layouts.map(({ stay }) => stay?.ms)).toEqual([undefined, 10_000, 10_000, 10_000, undefined]);
  expect(layoutsOf({ kind: "replace" }, 30_000, sides)).toHaveLength(3);
});
