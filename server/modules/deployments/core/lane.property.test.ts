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
  closed: fc.subarray([
    { gate: "sign-off" as const, open: false, reason: "qa waits for the role analyst (0 of 1)" },
    { gate: "lock" as const, open: false, reason: "lea has locked production until later: looking at it" },
  ]),
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

test("nothing starts beside another, nor with a closed gate; where neither stands in the way of the first, it starts", () => {
  fc.assert(
    fc.property(lane, (given) => {
      const { superseded, start } = settle(given, isOlder);
      if (given.running) expect(start).toBeUndefined();
      const next = given.waiting.find(({ id }) => id === start);
      expect(next?.closed ?? []).toEqual([]);
      const nobodyHeld = given.waiting.every(({ closed }) => closed.length === 0);
      if (!given.running && nobodyHeld) expect(start === undefined).toBe(superseded.length === given.waiting.length);
    }),
  );
});

test("whoever waits at a gate says whom or what it waits for", () => {
  fc.assert(
    fc.property(lane, (given) => {
      for (const { id, wait } of settle(given, isOlder).waits) {
        const closed = given.waiting.find((each) => each.id === id)?.closed ?? [];
        if (closed.length > 0) expect(wait).toMatchObject({ kind: "gate" });
        for (const { reason } of closed) expect(wait.message).toContain(reason);
        expect(wait.message).toBeTruthy();
      }
    }),
  );
});

test("nobody is overtaken: who starts has nobody older beside it that is left", () => {
  fc.assert(
    fc.property(lane, (given) => {
      const { superseded, start } = settle(given, isOlder);
      const gone = new Set(superseded.map(({ id }) => id));
      const next = given.waiting.find(({ id }) => id === start);
      if (next?.kind !== "deploy") return;
      for (const { id, kind, commit } of given.waiting)
        if (!gone.has(id)) expect(kind === "rollback" || isOlder(commit, next.commit)).toBe(false);
    }),
  );
});

test("a release that is signed off is not superseded by one that waits for its sign-offs", () => {
  const [qa] = [{ gate: "sign-off" as const, open: false, reason: "qa" }];
  const lock = { gate: "lock" as const, open: false, reason: "locked" };
  const signed = { id: "1", kind: "deploy" as const, release: 1, commit: "1", closed: [lock] };
  const newer = { id: "2", kind: "deploy" as const, release: 2, commit: "2", closed: [lock, qa] };
  const lane = { serving: undefined, running: undefined };
  expect(settle({ ...lane, waiting: [newer, signed] }, isOlder).superseded).toEqual([]);
  expect(settle({ ...lane, waiting: [newer, { ...signed, closed: [] }] }, isOlder).start).toBe("1");
  expect(settle({ ...lane, waiting: [signed, { ...newer, closed: [] }] }, isOlder)).toMatchObject({
    superseded: [{ id: "1" }],
    start: "2",
  });
});

test("the same lane gives the same verdict, whenever it is asked", () => {
  fc.assert(
    fc.property(lane, (given) => {
      const before = JSON.stringify(given);
      expect(settle(structuredClone(given), isOlder)).toEqual(settle(given, isOlder));
      expect(JSON.stringify(given)).toBe(before);
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

test("of deploys that are left, an older one is there only while the newer one waits for its sign-offs", () => {
  fc.assert(
    fc.property(lane, (given) => {
      const { superseded } = settle(given, isOlder);
      const gone = new Set(superseded.map(({ id }) => id));
      const left = given.waiting.filter(({ id, kind }) => kind === "deploy" && !gone.has(id));
      const signed = (each: Contender) => !each.closed.some(({ gate }) => gate === "sign-off");
      for (const one of left)
        for (const other of left)
          if (isOlder(one.commit, other.commit)) expect([signed(one), signed(other)]).toEqual([true, false]);
    }),
  );
});
