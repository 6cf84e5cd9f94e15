import { expect, test } from "vitest";
import { kindOf } from "./artifact-kind.ts";

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
