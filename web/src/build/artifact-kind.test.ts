import { expect, test } from "vitest";
import { kindOf, sizeIn } from "./artifact-kind.ts";

test("what is shown of a file goes by its name", () => {
  expect(["a/report.HTML", "shot.png", "out.log", "Dockerfile", "logo.svg", "app.tar.gz"].map(kindOf)).toEqual([
    "page",
    "picture",
    "text",
    "text",
    "svg",
    "other",
  ]);
});

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
