import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRefs, refChanges } from "./ref-changes.ts";

const states = fc
  .dictionary(fc.constantFrom("refs/heads/a", "refs/heads/b", "refs/tags/c"), fc.constantFrom("1", "2", "3"))
  .map((refs) => new Map<string, string>(Object.entries(refs)));

describe("changes of refs", () => {
  test("lead from the one state to the other", () =>
    fc.assert(
      fc.property(states, states, (before, after) => {
        const state = new Map(before);
        for (const change of refChanges(before, after)) {
          expect(state.get(change.ref)).toBe(change.before);
          if (change.after === undefined) state.delete(change.ref);
          else state.set(change.ref, change.after);
        }
        expect(Object.fromEntries(state)).toEqual(Object.fromEntries(after));
      }),
    ));

  test("are none between equal states", () =>
    fc.assert(fc.property(states, (state) => refChanges(state, new Map(state)).length === 0)));

  test("are read from the output of git", () => {
    const one = "a".repeat(40);
    expect([...parseRefs(`${one} refs/heads/with space\n`)]).toEqual([["refs/heads/with space", one]]);
    expect(parseRefs("").size).toBe(0);
  });
});
