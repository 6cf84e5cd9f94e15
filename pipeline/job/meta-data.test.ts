import { expect, test } from "vitest";
import { mostBytes, mostKeys, refuseAmount, refuseMetaData } from "./meta-data.ts";

test.each([
  ["an empty key", "", "v", /1 to 255/],
  ["a long key", "k".repeat(256), "v", /1 to 255/],
  ["a key over two lines", "a\nb", "v", /control characters/],
  ["a value with a zero", "k", "a\0b", /not text/],
  ["half a character", "k", "\ud83d", /not text/],
  ["more than 100 KiB", "k", "ä".repeat(51_201), /102402 bytes; 102400 are taken/],
])("%s is refused", (_, key, value, why) => {
  expect(refuseMetaData(key, value)).toMatchObject({ refused: "meta-data.invalid" });
  expect(refuseMetaData(key, value)?.message).toMatch(why);
});

test("any other text is taken, whatever it says", () => {
  for (const value of ["", "x", "ä".repeat(51_200), "line\nline\u0007"])
    expect(refuseMetaData("release/näme 1", value)).toBeUndefined();
});

test("a build has so many keys and so many bytes, and no more", () => {
  expect(refuseAmount({ keys: mostKeys, bytes: mostBytes })).toBeUndefined();
  expect(refuseAmount({ keys: mostKeys + 1, bytes: 1 })).toMatchObject({ refused: "meta-data.invalid" });
  expect(refuseAmount({ keys: 1, bytes: mostBytes + 1 })).toMatchObject({ refused: "meta-data.invalid" });
});
