import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const words = ["watch", "wait", "variables", "target"];

test("the nearest word is found for one wrong, missing, added or swapped letter", () => {
  expect(["watsh", "wach", "waatch", "wacth"].map((word) => nearest(word, words))).toEqual([
    "watch",
    "watch",
    "watch",
    "watch",
  ]);
});

test("long words bear more than one mistake", () => {
  expect(nearest("varables_", words)).toBe("variables");
});

test("nothing is suggested where nothing is near", () => {
  expect(nearest("freeze", words)).toBeUndefined();
  expect(nearest("x", [])).toBeUndefined();
});
