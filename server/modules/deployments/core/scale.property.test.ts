/** The number of instances against services whose load, and whose answer to it, is made up. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Scale } from "#stack/stack.ts";
import { type Sample, type ScaleState, scaleOn, settleMs, unscaled } from "./scale.ts";

const lookMs = 5_000;
const scale = (targets: Pick<Scale, "cpu" | "requests" | "p95">, more: Partial<Scale> = {}): Scale => ({
  ...{ min: 2, max: 6, calmMs: 60_000 },
  ...targets,
  ...more,
});

/** Requests a second that all instances together get, as they are shared by `count`. */
type Service = (requests: number, count: number) => Omit<Sample, "at" | "count">;

/** One instance can do 100 a second; the nearer it comes to that, the longer answers take. */
const service: Service = (requests, count) => {
  const busy = Math.min(1, requests / count / 100);
  return {
    cpu: Math.min(100, 3 + busy * 100),
    requests: requests / count,
    p95: { ms: 20 / Math.max(0.02, 1 - busy), of: Math.round(requests * (lookMs / 1000)) },
  };
};

interface Run {
  state: ScaleState;
  count: number;
  at: number;
}

interface Moment extends Run {
  from: number;
}

/** Looks at a service for as long as there are loads; some are `undefined`: nothing can be seen. */
function follow(of: Scale, start: Run, loads: readonly (number | undefined)[]): Moment[] {
  let run = start;
  return loads.map((load) => {
    const seen = load === undefined ? {} : service(load, run.count);
    const at = run.at + lookMs;
    const { state, wanted } = scaleOn(run.state, of, { at, count: run.count, ...seen });
    const moment = { state, count: wanted, at, from: run.count };
    run = moment;
    return moment;
  });
}

const target = fc.constantFrom(
  { cpu: 60 },
  { requests: 50 },
  { p95: 60 },
  { cpu: 50, p95: 100 },
  { cpu: 70, requests: 40, p95: 80 },
);
const bounds = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 20 }));
const scales = fc
  .record({ target, bounds, calmMs: fc.integer({ min: 5_000, max: 120_000 }) })
  .map(({ target: targets, bounds: [min, more], calmMs }) => scale(targets, { min, max: min + more, calmMs }));
const load = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 2_500 }) }, fc.constant(undefined));
/** Loads that stay for a while. */
const loads = fc
  .array(fc.record({ load, looks: fc.integer({ min: 1, max: 30 }) }), { minLength: 1, maxLength: 12 })
  .map((parts) => parts.flatMap((part) => Array.from({ length: part.looks }, () => part.load)));
const begin = ({ min }: Scale): Run => ({ state: unscaled, count: min, at: 1_000_000 });

test("whatever the load does, the number keeps to its bounds, grows as it likes and shrinks by one after a calm time", () => {
  fc.assert(
    fc.property(scales, loads, (of, course) => {
      let disturbed = -Infinity;
      for (const { from, count, at, state } of follow(of, begin(of), course)) {
        expect(count).toBeGreaterThanOrEqual(of.min);
        expect(count).toBeLessThanOrEqual(of.max);
        expect(state.words).not.toBe("");
        if (count < from) {
          expect(count).toBe(from - 1);
          expect(at - disturbed).toBeGreaterThanOrEqual(of.calmMs);
        }
        if (count !== from || state.hot > 0) disturbed = at;
      }
    }),
  );
});

/** Longer than all steps from the most to the fewest take. */
const longEnough = ({ max, calmMs }: Scale) => Math.ceil(2 * (max + 2) * ((calmMs + settleMs) / lookMs + 2));

test("when the load is steady the number settles and stays", () => {
  fc.assert(
    fc.property(scales, loads, fc.integer({ min: 0, max: 2_500 }), (of, course, base) => {
      const before = follow(of, begin(of), course).at(-1) ?? begin(of);
      const steady = Array.from({ length: longEnough(of) }, () => base);
      const settled = follow(of, before, steady).at(-1) ?? before;
      const after = follow(of, settled, steady);
      expect(new Set(after.map(({ count }) => count))).toEqual(new Set([settled.count]));
    }),
  );
});

test("a little noise makes it go down late at the most, and never up again", () => {
  fc.assert(
    fc.property(scales, loads, fc.integer({ min: 0, max: 2_500 }), fc.nat(10_000), (of, course, base, order) => {
      const before = follow(of, begin(of), course).at(-1) ?? begin(of);
      // Within three percent, in an order that looks like none.
      const noisy = Array.from(
        { length: longEnough(of) },
        (_, look) => base * (1 + (((look * 7919 + order) % 61) - 30) / 1000),
      );
      const settled = follow(of, before, noisy).at(-1) ?? before;
      expect(follow(of, settled, noisy).filter(({ from, count }) => count > from)).toEqual([]);
    }),
  );
});

test("what is too much for those that run is enough for those that run two looks later", () => {
  fc.assert(
    fc.property(fc.integer({ min: 120, max: 290 }), (requests) => {
      const of = scale({ requests: 50 });
      const [first, second] = follow(of, begin(of), [requests, requests]);
      expect(first?.count).toBe(2);
      expect(requests / (second?.count ?? 0)).toBeLessThanOrEqual(50 * 1.05);
    }),
  );
});

test("one busy moment, or no figures, change nothing; and no figures are no calm", () => {
  const of = scale({ cpu: 60 }, { min: 1 });
  const [busy, usual] = follow(of, { ...begin(of), count: 3 }, [900, 150]);
  expect([busy?.count, usual?.count]).toEqual([3, 3]);
  const blind = Array.from({ length: 40 }, (_, look) => (look % 8 === 7 ? undefined : 0));
  expect(follow(of, { ...begin(of), count: 3 }, blind).at(-1)?.count).toBe(3);
});

test("a number that was too few for a load is gone back to only when there is less of it", () => {
  const of = scale({ p95: 60 }, { min: 1 });
  const long = (requests: number) => Array.from({ length: 200 }, () => requests);
  const busy = follow(of, begin(of), long(160)).at(-1)!;
  const steps = follow(of, busy, long(160)).filter(({ from, count }) => from !== count);
  expect(steps).toEqual([]);
  expect(follow(of, busy, long(20)).at(-1)?.count).toBe(1);
});

test("it says what it sees and what follows", () => {
  const of = scale({ cpu: 60 });
  const words = (run: Moment[]) => run.map(({ state }) => state.words);
  expect(words(follow(of, begin(of), [200, 200]))).toEqual(["cpu 100 % of 60 %", "cpu 100 % of 60 %"]);
  expect(words(follow(of, { ...begin(of), count: 6 }, [2_000]))).toEqual([
    "cpu 100 % of 60 %, and more than 6 may not run",
  ]);
  expect(words(follow(of, { ...begin(of), count: 4 }, [0]))).toEqual(["cpu 3 % of 60 %, one goes after 60 s of calm"]);
});
