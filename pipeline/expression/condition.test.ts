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
  build: {
    ...context.build,
    branch: "feature/x",
    source: "pull-request",
    pullRequest: { id: 7, baseBranch: "main", labels: ["fast"] },
  },
};
const triggered: BuildContext = {
  ...context,
  build: {
    ...context.build,
    id: "b-1",
    tag: "v1.0",
    source: "trigger",
    creator: "ada",
    creatorRoles: ["lead"],
    author: { name: "Ada", email: "ada@example.com" },
  },
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
  test.each([
    ["build.pull_request.id == 7 && build.pull_request.base_branch == 'main'", true],
    ["!build.pull_request.draft", true],
    ["build.pull_request.draft == false", true],
    ["build.pull_request.labels includes 'fast'", true],
    ["build.pull_request.labels includes 'slow' || build.pull_request.repository.fork", false],
    ["build.source == 'webhook' && build.source == 'pull-request' && build.source != 'push'", true],
  ])("sees the pull request: %s is %s", (text, expected) => {
    expect(holds(text, pullRequest)).toBe(expected);
  });
  test.each([
    ["build.creator.name == 'ada' && build.creator.teams includes \"lead\"", true],
    ["build.creator.teams includes 'deploy'", false],
    ["build.author.name == 'Ada' && build.author.email =~ /@example\\.com$/", true],
    ["build.author.teams includes 'x'", false],
    ["build.id == 'b-1' && organization.slug == 'towline' && pipeline.slug == 'orders'", true],
    ["build.tag =~ /^V[0-9]+\\.0$/i", true],
    ["build.source == 'trigger_job'", true],
  ])("sees people, tag and origin: %s is %s", (text, expected) => {
    expect(holds(text, triggered)).toBe(expected);
  });
  test.each([
    ["build.tag == null", true],
    ["null == build.tag", true],
    ["build.tag != 'v1'", true],
    ["build.tag =~ /.*/", false],
    ["build.tag !~ /.*/", true],
    ["!build.tag", true],
    ["build.tag || build.pull_request.id || build.env('NONE')", false],
    ["build.pull_request.draft", false],
    ["build.pull_request.draft == null", true],
    ["build.pull_request.labels includes null", false],
    ["build.branch includes 'main'", false],
    ["null", false],
  ])("null is equal to null alone, matches nothing and is not true: %s is %s", (text, expected) => {
    expect(holds(text)).toBe(expected);
  });
  test.each([
    ["true || false && false", true],
    ["(true || false) && false", false],
    ["!false && !true || true", true],
    ["build.branch == 'x' || build.branch == 'main' && build.number != 3", true],
    ["// a comment\nbuild.branch =~ /^main/ &&\n  // another\n  build.message !~ /skip tests/", true],
    ["'it\\'s' == \"it's\"", true],
    ["build.branch =~ /a\\/b|ma[i]n/gu", true],
  ])("`&&` binds closer than `||`, `!` closest: %j is %s", (text, expected) => {
    expect(holds(text)).toBe(expected);
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
    ["build.branch =~ /x/m", "16 the flag `m` of a regular expression is not supported"],
    ["build.state == 'passed'", "0 `build.state` is not known"],
    ["build.branch includes", "21 the expression ends too early"],
    ["a".repeat(2001), "0 the expression is longer than 2000 characters"],
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
