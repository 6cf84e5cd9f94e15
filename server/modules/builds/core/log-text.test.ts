import fc from "fast-check";
import { expect, test } from "vitest";
import { wholeCharacters } from "./log-text.ts";

test("a character that is cut at the end is left for the next piece", () => {
  const euro = Buffer.from("5 €");
  expect(wholeCharacters(euro.subarray(0, 4))).toEqual({ text: "5 ", length: 2 });
  expect(wholeCharacters(euro)).toEqual({ text: "5 €", length: 5 });
});

test("bytes that are no UTF-8 are shown as such and hold nothing up", () => {
  expect(wholeCharacters(Buffer.from([0x80, 0x80, 0x80, 0x80]))).toEqual({ text: "\uFFFD".repeat(4), length: 4 });
});

test("pieces of any size join to the whole text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 4, max: 9 }), (given, size) => {
      const bytes = Buffer.from(given);
      let text = "";
      for (let offset = 0; offset < bytes.length;) {
        const piece = wholeCharacters(bytes.subarray(offset, offset + size));
        expect(piece.length).toBeGreaterThan(0);
        text += piece.text;
        offset += piece.length;
      }
      expect(text).toBe(bytes.toString());
    }),
  );
});
