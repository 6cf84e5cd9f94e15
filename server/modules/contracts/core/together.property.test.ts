import fc from "fast-check";
import { expect, test } from "vitest";
import type { Permission } from "./permission.ts";
import { type Candidate, mayGo, type May, orderTogether, type Serving } from "./together.ts";
import { permission } from "./permission.ts";
import { TestWorld } from "./test-world.ts";

const names = ["a", "b", "c", "d"];
const candidates: Candidate[] = names.map((pacticipant) => ({ pacticipant, version: "2" }));
const start: Serving = new Map(names.map((name) => [name, ["1"]]));

/** Which versions of two services do not fit each other. */
const misfits = fc.uniqueArray(
  fc
    .record({ one: fc.constantFrom(...names), other: fc.constantFrom(...names) })
    .filter(({ one, other }) => one < other)
    .chain(({ one, other }) => fc.constantFrom(`${one}1 ${other}2`, `${one}2 ${other}1`, `${one}2 ${other}2`)),
  { maxLength: 8 },
);

const byMisfits =
  (pairs: readonly string[]): May =>
  ({ pacticipant, version }, serving): Permission => {
    const fits = [...serving].every(([name, versions]) =>
      versions.every((each) => {
        const pair = [`${pacticipant}${version}`, `${name}${each}`].toSorted().join(" ");
        return name === pacticipant || !pairs.includes(pair);
      }),
    );
    return { answer: fits ? "yes" : "no", reasons: [] };
  };

const isOrder = (may: May, order: readonly Candidate[]): boolean =>
  order.every((next, index) => {
    const gone = order.slice(0, index).map(({ pacticipant, version }) => [pacticipant, [version]] as const);
    return mayGo(may(next, new Map([...start, ...gone])));
  });

const permutations = (all: readonly Candidate[]): Candidate[][] =>
  all.length === 0
    ? [[]]
    : all.flatMap((first) => permutations(all.filter((each) => each !== first)).map((rest) => [first, ...rest]));

test("in the order that is found every moment is compatible, and none is found only where there is none", () => {
  fc.assert(
    fc.property(misfits, (pairs) => {
      const may = byMisfits(pairs);
      const { order, stuck } = orderTogether(candidates, start, may);
      expect(isOrder(may, order)).toBe(true);
      if (stuck.length === 0) expect(order).toHaveLength(candidates.length);
      else expect(permutations(candidates).some((each) => isOrder(may, each))).toBe(false);
      for (const { permission: judged } of stuck) expect(mayGo(judged)).toBe(false);
    }),
  );
});

/** `orders` asks `catalog` for something else from version 2 on. */
const world = () =>
  new TestWorld()
    .version("orders", "1", { in: ["prod"] })
    .version("catalog", "1", { in: ["prod"] })
    .pact("orders", "1", "catalog")
    .pact("orders", "2", "catalog")
    .result("orders 1 catalog", "1");
const both: Candidate[] = ["orders", "catalog"].map((pacticipant) => ({ pacticipant, version: "2" }));
const serving: Serving = new Map(both.map(({ pacticipant }) => [pacticipant, ["1"]]));
const mayIn =
  (made: TestWorld): May =>
  ({ pacticipant, version }, now) =>
    permission(made, { pacticipant, version, environment: "prod", serving: now });

test("the provider goes first where it keeps what the old consumer asks, and the new one needs it", () => {
  const made = world()
    .result("orders 1 catalog", "2")
    .result("orders 2 catalog", "2")
    .result("orders 2 catalog", "1", { fails: true });
  const { order, stuck } = orderTogether(both, serving, mayIn(made));
  expect([order.map(({ pacticipant }) => pacticipant), stuck]).toEqual([["catalog", "orders"], []]);
});

test("where neither may go first, the reasons name the pair", () => {
  const made = world()
    .result("orders 1 catalog", "2", { fails: true })
    .result("orders 2 catalog", "2")
    .result("orders 2 catalog", "1", { fails: true });
  const { order, stuck } = orderTogether(both, serving, mayIn(made));
  expect(order).toEqual([]);
  expect(stuck.map(({ candidate, permission: { answer } }) => [candidate.pacticipant, answer])).toEqual([
    ["orders", "no"],
    ["catalog", "no"],
  ]);
  expect(stuck[0]?.permission.reasons).toMatchObject([{ kind: "failed" }]);
});
