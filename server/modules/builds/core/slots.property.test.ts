import fc from "fast-check";
import { expect, test } from "vitest";
import { type Slot, slotStanding, whyNoSlot } from "./slots.ts";

const slot: fc.Arbitrary<Slot> = fc.record({
  build: fc.constantFrom("b1", "b2", "b3", "b4"),
  step: fc.constantFrom("s1", "s2", "s3"),
  group: fc.constantFrom("g", "h"),
  limit: fc.integer({ min: 1, max: 3 }),
  ordered: fc.boolean(),
  held: fc.constant(false),
  sequence: fc.integer({ min: 1, max: 4 }),
  position: fc.integer({ min: 0, max: 5 }),
});
const slots = fc.uniqueArray(slot, { selector: ({ build, step }) => `${build} ${step}`, maxLength: 12 });

test("whoever asks in whatever order, nobody is let in beyond his limit, and of ordered ones never before an earlier one", () => {
  fc.assert(
    fc.property(slots, fc.array(fc.nat(100), { maxLength: 60, size: "max" }), (drawn, turns) => {
      const all = drawn.map((each) => ({ ...each }));
      for (const turn of turns) {
        const one = all[turn % (all.length || 1)];
        if (!one) return;
        const others = all.filter((each) => each !== one && each.group === one.group);
        if (one.held) all.splice(all.indexOf(one), 1);
        else if (!whyNoSlot(one, all)) {
          expect(others.filter(({ held }) => held).length).toBeLessThan(one.limit);
          expect(one.ordered && others.some((each) => !each.held && isEarlier(each, one))).toBe(false);
          one.held = true;
        }
      }
    }),
  );
});

test("as long as slots are given back, everybody has a turn: nothing waits for ever", () => {
  fc.assert(
    fc.property(slots, (drawn) => {
      const all = drawn.map((each) => ({ ...each }));
      let left = all.length * 2 + 1;
      while (all.length > 0 && left-- > 0) {
        for (const one of all) if (!one.held && !whyNoSlot(one, all)) one.held = true;
        const done = all.filter(({ held }) => held);
        expect(done.length, "somebody is let in").toBeGreaterThan(0);
        for (const one of done) all.splice(all.indexOf(one), 1);
      }
      expect(all).toEqual([]);
    }),
  );
});

test("a slot is held from the lease to the confirmed end, and by nothing that waits", () => {
  const since = "";
  expect(
    ["leased", "running", "requested", "canceling"].map((state) => slotStanding({ state, since } as never)),
  ).toEqual(["held", "held", "held", "held"]);
  expect(slotStanding({ state: "runnable", since })).toBe("waiting");
  expect([{ state: "waiting" }, { state: "blocked", since }].map((status) => slotStanding(status as never))).toEqual([
    undefined,
    undefined,
  ]);
});

const isEarlier = (a: Slot, b: Slot) =>
  a.sequence < b.sequence || (a.sequence === b.sequence && a.position < b.position);
