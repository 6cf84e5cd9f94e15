import { expect, test } from "vitest";
import { parseObjects } from "./object-batch.ts";

const id = "a".repeat(40);

test("objects and gaps come in the order of asking, whatever the content looks like", () => {
  const output = Buffer.from(`${id} blob 8\nx missin\nmain:no such file missing\n${id} tree 0\n\n`);
  expect(parseObjects(output).map((each) => each && [each.type, each.content.toString()])).toEqual([
    ["blob", "x missin"],
    undefined,
    ["tree", ""],
  ]);
});

test("a cut output is not taken for a whole one", () =>
  expect(() => parseObjects(Buffer.from(`${id} blob 8\nhalf`))).toThrow("in the middle"));
