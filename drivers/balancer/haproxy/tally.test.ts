import fc from "fast-check";
import { expect, test } from "vitest";
import type { StatLine } from "./parse.ts";
import { createTally } from "./tally.ts";

function line(name: string, requests: number): StatLine {
  return {
    name,
    address: "",
    sessions: 0,
    requests,
    serverErrors: 0,
    connectionErrors: 0,
    check: "",
    checkCode: "",
    checkText: "",
  };
}

test("counters of old and new processes add up, and stay when a process is gone", () => {
  const tally = createTally();
  tally.note("r", 1, [line("s0", 5), line("BACKEND", 6)]);
  tally.note("r", 2, [line("s0", 1), line("s1", 2), line("BACKEND", 3)]);
  expect(tally.read("r", 2)).toMatchObject({ requests: 9, slots: [{ requests: 6 }, { requests: 2 }] });
  tally.keepOnly(new Set([2]));
  expect(tally.read("r", 2)).toMatchObject({ requests: 9 });
  tally.note("r", 2, [line("s0", 2), line("s1", 2), line("BACKEND", 4)]);
  expect(tally.read("r", 1)).toMatchObject({ requests: 10 });
  tally.forgetOthers(new Set());
  expect(tally.read("r", 1)).toMatchObject({ requests: 0 });
});

test("counters never go down, whatever processes say", () => {
  const step = fc.record({ pid: fc.integer({ min: 1, max: 3 }), requests: fc.nat(50), gone: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const tally = createTally();
      let before = 0;
      for (const { pid, requests, gone } of steps) {
        tally.note("r", pid, [line("BACKEND", requests)]);
        if (gone) tally.keepOnly(new Set([pid]));
        const now = tally.read("r", 1).requests;
        expect(now).toBeGreaterThanOrEqual(before);
        before = now;
      }
    }),
  );
});
