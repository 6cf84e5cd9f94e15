import fc from "fast-check";
import { expect, test } from "vitest";
import { findCircle } from "./circle.ts";

const name = fc.constantFrom("a", "b", "c", "d", "e");
const graph = fc
  .uniqueArray(fc.tuple(name, fc.array(name, { maxLength: 3 })), { selector: ([key]) => key })
  .map((entries) => new Map<string, string[]>(entries));

/** Takes away who waits for nobody, again and again; who is left waits in a circle, or for one. */
function hasCircle(after: Map<string, string[]>): boolean {
  let left = [...after.keys()];
  for (;;) {
    const next = left.filter((each) => after.get(each)?.some((other) => left.includes(other)));
    if (next.length === left.length) return left.length > 0;
    left = next;
  }
}

test("a circle is found exactly where there is one, and what is told is one", () => {
  fc.assert(
    fc.property(graph, (after) => {
      const circle = findCircle(after);
      expect(circle !== undefined).toBe(hasCircle(after));
      if (!circle) return;
      expect(circle.at(-1)).toBe(circle[0]);
      circle.slice(1).forEach((each, index) => expect(after.get(circle[index] ?? "")).toContain(each));
    }),
  );
});

test("a long chain is no circle", () => {
  const chain = new Map(Array.from({ length: 5_000 }, (_, index) => [`s${index}`, [`s${index + 1}`]] as const));
  expect(findCircle(chain)).toBeUndefined();
});
