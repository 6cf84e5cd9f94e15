import fc from "fast-check";
import { expect, test } from "vitest";
import { lineNow, parseStretches } from "./line-map.ts";

const diff = `diff --git a/f b/f
--- a/f
+++ b/f
@@ -2,0 +3,2 @@ head
+@@ -9,9 +9,9 @@
+b
@@ -5 +7 @@
-e
+E
@@ -8,2 +9,0 @@
-h
-i
`;

test("a line moves with what is added and removed above it, and is gone once it is changed itself", () => {
  const stretches = parseStretches(diff);
  const now = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((line) => lineNow(line, stretches));
  expect(now).toEqual([1, 2, 5, 6, undefined, 8, 9, undefined, undefined, 10]);
});

test("no change leaves every line where it is", () => {
  expect(parseStretches("")).toEqual([]);
  expect(lineNow(7, [])).toBe(7);
});

test("lines keep their order and no two become one", () => {
  const gaps = fc.array(fc.record({ gap: fc.nat(5), oldLines: fc.nat(3), newLines: fc.nat(3) }), { maxLength: 8 });
  fc.assert(
    fc.property(gaps, (parts) => {
      let at = 0;
      const stretches = parts.map(({ gap, oldLines, newLines }) => {
        const before = at + gap;
        at = before + oldLines;
        return { oldStart: oldLines === 0 ? before : before + 1, oldLines, newLines };
      });
      const left = Array.from({ length: at + 5 }, (_, index) => lineNow(index + 1, stretches)).filter(Boolean);
      expect(left).toEqual([...new Set(left)].toSorted((a, b) => Number(a) - Number(b)));
      expect(left.length).toBe(at + 5 - stretches.reduce((sum, { oldLines }) => sum + oldLines, 0));
    }),
  );
});
