import fc from "fast-check";
import { expect, test } from "vitest";
import { type Contender, type Lane, settle } from "./lane.ts";

/** A history without branches: the commit's number is its order. */
const isOlder = (commit: string, than: string) => Number(commit) < Number(than);

const contender = fc.record({
  id: fc.uuid(),
  kind: fc.constantFrom("deploy" as const, "deploy" as const, "rollback" as const),
  release: fc.nat(9),
  commit: fc.nat(9).map(String),
});

const lane: fc.Arbitrary<Lane> = fc.record({
  serving: fc.option(fc.record({ release: fc.nat(9), commit: fc.nat(9).map(String) }), { nil: undefined }),
  running: fc.option(contender, { nil: undefined }),
  waiting: fc.uniqueArray(contender, { maxLength: 6, selector: ({ id }) => id }),
});

test("nobody is dropped: everyone who waits starts, waits with a reason or is superseded with one", () => {
  fc.assert(
    fc.property(lane, (given) => {
      const { superseded, start, waits } = settle(given, isOlder);
      const answered = [...superseded.map(({ id }) => id), ...waits.map(({ id }) => id), ...(start ? [start] : [])];
      expect(answered.toSorted()).toEqual(given.waiting.map(({ id }) => id).toSorted());
      for (const { reason } of superseded) expect(reason).toBeTruthy();
    }),
  );
});

test("nothing starts beside another, and where nothing runs somebody starts", () => {
  fc.assert(
    fc.property(lane, (given) => {
      const { superseded, start } = settle(given, isOlder);
      if (given.running) expect(start).toBeUndefined();
      else expect(start === undefined).toBe(superseded.length === given.waiting.length);
    }),
  );
});

test("a rollback is never superseded, and no deploy starts that is older than what serves", () => {
  fc.assert(
    fc.property(lane, (given) => {
      const { superseded, start } = settle(given, isOlder);
      const of = (id: string | undefined): Contender | undefined => given.waiting.find((each) => each.id === id);
      expect(superseded.map(({ id }) => of(id)?.kind)).not.toContain("rollback");
      const next = of(start);
      if (next?.kind === "deploy" && given.serving) expect(isOlder(next.commit, given.serving.commit)).toBe(false);
    }),
  );
});

test("deploys that are left go in the order of asking, so the order of the source", () => {
  fc.assert(
    fc.property(lane, (given) => {
      const { superseded } = settle(given, isOlder);
      const gone = new Set(superseded.map(({ id }) => id));
      const left = given.waiting
        .filter(({ id, kind }) => kind === "deploy" && !gone.has(id))
        .map(({ commit }) => commit);
      for (const commit of left) expect(left.every((other) => !isOlder(commit, other))).toBe(true);
    }),
  );
});
