import fc from "fast-check";
import { expect, test } from "vitest";
import { createObjectParser } from "./object-parser.ts";

const id = "a".repeat(40);
const output = Buffer.from(`${id} blob 8\nx missin\nmain:no such file missing\n${id} tree 0\n\n`);

test("objects and gaps come in the order of asking, whatever the content looks like and wherever it is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 40 }), (sizes) => {
      const parser = createObjectParser(3, 8);
      let at = 0;
      let found: ReturnType<typeof parser.take> = "more";
      for (const size of [...sizes, output.length]) {
        if (at >= output.length) break;
        expect(found).toBe("more");
        found = parser.take(output.subarray(at, at + size));
        at += size;
      }
      expect(Array.isArray(found) && found.map((each) => each && [each.type, each.content.toString()])).toEqual([
        ["blob", "x missin"],
        undefined,
        ["tree", ""],
      ]);
    }),
  );
});

test("an object that is larger than the limit is told by its size, before its content has come", () => {
  expect(createObjectParser(1, 7).take(Buffer.from(`${id} blob 8\n`))).toBe("too-large");
});

test("a line without end is too large as well", () => {
  expect(createObjectParser(1, 7).take(Buffer.alloc(10_000, "x"))).toBe("too-large");
});
