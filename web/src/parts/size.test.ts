import { expect, test } from "vitest";
import { sizeIn } from "./size.ts";

test("sizes are told in the unit that fits", () => {
  expect([1, 17, 1_024, 3_482, 20 * 1024 ** 2, 5 * 1024 ** 3].map(sizeIn)).toEqual([
    "1 byte",
    "17 bytes",
    "1.0 KiB",
    "3.4 KiB",
    "20 MiB",
    "5.0 GiB",
  ]);
});
