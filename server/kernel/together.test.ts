import { expect, test } from "vitest";
import { together } from "./together.ts";

test("what comes in one turn is done at one go, and each gets its own result", async () => {
  const batches: number[][] = [];
  const double = together<number, number>(async (_, items) => {
    batches.push(items);
    return items.map((item) => item * 2);
  });
  expect(await Promise.all([double("k", 1), double("k", 2), double("other", 3)])).toEqual([2, 4, 6]);
  expect(batches).toEqual([[1, 2], [3]]);
});

test("what comes while some is at work is done after it, never by it", async () => {
  const batches: number[][] = [];
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const note = together<number, number>(async (_, items) => {
    batches.push(items);
    await gates[batches.length - 1]?.promise;
    return items;
  });
  const first = note("k", 1);
  await new Promise((resolve) => setImmediate(resolve));
  const later = [note("k", 2), note("k", 3)];
  expect(batches).toEqual([[1]]);
  gates.forEach(({ resolve }) => resolve());
  expect(await Promise.all([first, ...later])).toEqual([1, 2, 3]);
  expect(batches).toEqual([[1], [2, 3]]);
});

test("when it fails, only those fail that fail alone", async () => {
  const halve = together<number, number>(async (_, items) => {
    if (items.some((item) => item % 2 === 1)) throw new Error("odd");
    return items.map((item) => item / 2);
  });
  const results = await Promise.allSettled([4, 3, 2].map((item) => halve("k", item)));
  expect(results.map((result) => (result.status === "fulfilled" ? result.value : "failed"))).toEqual([2, "failed", 1]);
});

test("many are done in several goes, in the order of asking", async () => {
  const sizes: number[] = [];
  const same = together<number, number>(async (_, items) => {
    sizes.push(items.length);
    return items;
  });
  const items = Array.from({ length: 250 }, (_, index) => index);
  expect(await Promise.all(items.map((item) => same("k", item)))).toEqual(items);
  expect(sizes).toEqual([100, 100, 50]);
});
