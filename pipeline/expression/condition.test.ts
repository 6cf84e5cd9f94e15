import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BuildContext } from "../build-context.ts";
import { parseCondition } from "./condition.ts";
import { scopeOf } from "./scope.ts";

const context: BuildContext = {
  build: {
    number: 12,
    branch: "main",
    commit: "a".repeat(40),
    message: "Fix orders [ci skip]",
    source: "push",
    env: {},
  },
  pipeline: { slug: "orders", defaultBranch: "main" },
};
const pullRequest: BuildContext = {
  ...context,
  build: { ...context.build, branch: "feature/x", source: "pull-request", pullRequest: { id: 7, baseBranch: "main" } },
};

function holds(text: string, of = context): boolean | string {
  const parsed = parseCondition(text);
  return "condition" in parsed
    ? parsed.condition(scopeOf(of, { CI: "true", EMPTY: "" }))
    : `${parsed.problem.offset} ${parsed.problem.message}`;
}

describe("an expression", () => {
  test.each([
    ["build.branch == pipeline.default_branch", true],
    ["build.branch != 'main'", false],
    ['build.branch == "main" && build.tag == null', true],
    ["build.tag != null || build.number == 12", true],
    ["build.number == '12'", true],
    ["build.message =~ /\\[ci skip\\]/", true],
    ["build.message !~ /SKIP/i", false],
    ["build.tag =~ /^v/", false],
    ["!(build.branch == 'main')", false],
    ["!!true", true],
    ["build.env('CI') == 'true'", true],
    ['env("EMPTY") || env("__proto__")', false],
    ["build.pull_request.id", false],
    ["false || true && false", false],
    ["(false || true) && true // a comment", true],
    ["build.source\n  == 'push'", true],
  ])("%s is %s", (text, expected) => {
    expect(holds(text)).toBe(expected);
  });
  test("sees the pull request", () => {
    expect(holds("build.pull_request.id == 7 && build.pull_request.base_branch == 'main'", pullRequest)).toBe(true);
  });
});

describe("a wrong expression", () => {
  test.each([
    ["build.branch = 'main'", "13 `=` is not understood"],
    ["build.brnch == 'main'", "0 `build.brnch` is not known"],
    ["build.branch ==", "15 the expression ends too early"],
    ["build.branch == 'main", "16 `'` is not understood"],
    ["(true", "5 `)` is missing"],
    ["true true", "5 `true` is not expected here"],
    ["build.branch =~ 'x'", "16 a regular expression such as /^v1/ is missing"],
    [
      "build.branch =~ /(?=x)/",
      "16 the regular expression is not valid: groups that start with `(?` are not supported, but for `(?:` and a leading `(?i)`",
    ],
    ["shell('x')", "0 the function `shell` is not known"],
    ["", "0 the expression ends too early"],
    ["(".repeat(60), "50 parentheses are nested deeper than 50"],
  ])("%j: %s", (text, expected) => {
    expect(holds(text)).toBe(expected);
  });
  test("suggests the name that was probably meant", () => {
    expect(parseCondition("build.brnch")).toMatchObject({ problem: { fix: "did you mean `build.branch`?" } });
  });
});

test("no text makes the parser throw", () => {
  const piece = fc.constantFrom(
    "build.branch",
    "==",
    "=~",
    "/a/",
    "'x'",
    "(",
    ")",
    "!",
    "&&",
    "||",
    "env(",
    "12",
    " ",
    "null",
    "/",
    '"',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join("")),
      ),
      (text) => {
        expect(["boolean", "string"]).toContain(typeof holds(text));
      },
    ),
    { numRuns: 2000 },
  );
});
