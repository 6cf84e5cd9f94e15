import fc from "fast-check";
import { expect, test } from "vitest";
import { freezesAt } from "./freeze.ts";

const weekend = { name: "weekend", from: "Fri 16:00", to: "Mon 08:00", zone: "Europe/Berlin" };
const holds = (freeze: typeof weekend, at: string) => freezesAt([freeze], new Date(at)).length === 1;

test.each([
  ["2026-03-27T14:59:00Z", false],
  ["2026-03-27T15:00:00Z", true],
  // The clocks went forward on Sunday: Monday 08:00 comes an hour earlier.
  ["2026-03-30T05:59:00Z", true],
  ["2026-03-30T06:00:00Z", false],
])("a weekly freeze over the end of the week keeps to the clocks of its zone: %s", (at, frozen) => {
  expect(holds(weekend, at)).toBe(frozen);
});

test.each([
  ["2026-12-19T22:59:00Z", false],
  ["2026-12-19T23:00:00Z", true],
  ["2027-01-01T22:59:00Z", true],
  ["2027-01-01T23:00:00Z", false],
])("a dated freeze begins and ends at its dates: %s", (at, frozen) => {
  const christmas = { name: "christmas", from: "2026-12-20 00:00", to: "2027-01-02 00:00", zone: "Europe/Berlin" };
  expect(holds(christmas, at)).toBe(frozen);
});

test("a week is frozen in a window or in the one that is the rest of it, never in both", () => {
  const moment = fc
    .record({ day: fc.constantFrom("Mon", "Wed", "Fri", "Sun"), hour: fc.integer({ min: 10, max: 23 }) })
    .map(({ day, hour }) => `${day} ${hour}:00`);
  const at = fc.date({ min: new Date("2026-01-01"), max: new Date("2027-01-01"), noInvalidDate: true });
  fc.assert(
    fc.property(moment, moment, at, (from, to, now) => {
      fc.pre(from !== to);
      const [one, other] = [
        { ...weekend, from, to },
        { ...weekend, from: to, to: from },
      ];
      expect(freezesAt([one], now).length + freezesAt([other], now).length).toBe(1);
    }),
  );
});
