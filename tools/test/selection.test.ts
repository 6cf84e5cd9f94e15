import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { parseSelection, runsOf, stages } from "./selection.ts";

test("no words select everything", () => {
  expect(parseSelection([])).toEqual({ stages: [...stages], filters: [] });
});

test("stages run in their own order, whatever order they are given in", () => {
  expect(parseSelection(["module", "check"])).toEqual({ stages: ["check", "module"], filters: [] });
});

test("a path alone selects all tests there, but not the checks of the whole repository", () => {
  expect(parseSelection(["pipeline/"])).toEqual({
    stages: ["unit", "module", "driver", "e2e"],
    filters: ["pipeline/"],
  });
});

test("a misspelt stage is refused with those that there are", () => {
  const answer = parseSelection(["units"]);
  expect(isRefusal(answer) && answer.fix).toContain("check, unit, module, driver, e2e");
});

test("stages run beside each other, but for the checks first and what needs Docker last", () => {
  expect(runsOf(stages)).toEqual([["check"], ["unit", "module"], ["driver", "e2e"]]);
  expect(runsOf(["module", "e2e"])).toEqual([["module"], ["e2e"]]);
});
