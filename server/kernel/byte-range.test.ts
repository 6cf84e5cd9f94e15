import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readRange } from "./byte-range.ts";

const size = fc.nat(10_000);

describe("a range that is read", () => {
  test("lies inside the blob, whatever was asked", () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.constant("")), fc.oneof(fc.nat(), fc.constant("")), size, (from, to, bytes) => {
        const range = readRange(`bytes=${from}-${to}`, bytes);
        if (typeof range !== "object") return;
        expect(range.first).toBeGreaterThanOrEqual(0);
        expect(range.first).toBeLessThanOrEqual(range.last);
        expect(range.last).toBeLessThan(bytes);
      }),
    );
  });

  test("covers each byte it names that there is", () => {
    fc.assert(
      fc.property(size, fc.nat(20_000), fc.nat(20_000), (bytes, a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const expected = from < bytes ? { first: from, last: Math.min(to, bytes - 1) } : "unsatisfiable";
        expect(readRange(`bytes=${from}-${to}`, bytes)).toEqual(expected);
      }),
    );
  });

  test("does not trip over any header", () => {
    fc.assert(fc.property(fc.string(), size, (header, bytes) => void readRange(header, bytes)));
  });
});
