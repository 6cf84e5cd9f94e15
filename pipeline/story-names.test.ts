import { expect, test } from "vitest";
import { storyNames } from "./story-names.ts";

test.each([
  ["SHOP-123: discounts, closes #12 and SHOP-123", ["SHOP-123", "#12"]],
  ["Merge pull request #7: Basket (AB-1)", ["#7", "AB-1"]],
  ["no story in utf-8, a-1, x#1, &#39; or SHOP-123a", []],
  ["", []],
])("%s", (message, stories) => {
  expect(storyNames(message)).toEqual(stories);
});
