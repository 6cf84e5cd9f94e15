import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileRegex } from "./regex.ts";

function found(pattern: string, text: string, ignoreCase = false): boolean | string {
  const compiled = compileRegex(pattern, ignoreCase);
  return "regex" in compiled ? compiled.regex.test(text) : compiled.problem;
}

describe("matching", () => {
  test.each([
    ["^v[0-9]+\\.[0-9]+$", "v1.20", true],
    ["^v[0-9]+\\.[0-9]+$", "xv1.20", false],
    ["^feature/", "feature/x", true],
    ["(ci|skip) ?(skip|ci)", "please ci skip", true],
    ["a{2,3}b", "xaab", true],
    ["^a{2}$", "aaa", false],
    ["[^a-c]", "abc", false],
    ["[]x]", "]", true],
    ["[\\w-]+@", "a-b@", true],
    ["\\bfix\\b", "a fix!", true],
    ["\\bfix\\b", "prefix", false],
    ["^$", "", true],
    ["a.c", "a\nc", false],
    ["(?:ab)*c", "ababc", true],
    ["x{", "x{", true],
  ])("%s on %j is %s", (pattern, text, expected) => {
    expect(found(pattern, text)).toBe(expected);
  });
  test("the flag and a leading (?i) ignore case", () => {
    expect([found("wip", "WIP"), found("wip", "WIP", true), found("(?i)[a-c]", "B")]).toEqual([false, true, true]);
  });
});

test.each([
  "(",
  ")",
  "[a",
  "*a",
  "a**",
  "(?=a)",
  "\\1",
  "a{3,2}",
  "a{101}",
  "\\",
  "[b-a]",
  "a".repeat(501),
  `${"(".repeat(40)}a`,
])("%j is refused with a reason", (pattern) => {
  expect(found(pattern, "a")).toBeTypeOf("string");
});

test("counts inside counts are refused before they eat memory", () => {
  expect(found("((((a{100}){100}){100}){100})", "a")).toBe("the pattern has too many repetitions");
});

test("patterns that stop other engines take no longer than others", () => {
  expect(found("^(a+)+$", `${"a".repeat(5000)}b`)).toBe(false);
  expect(found("(a|a|aa)*c", "a".repeat(5000))).toBe(false);
});

test("it agrees with JavaScript wherever both understand the pattern", () => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\d", "\\w", "(a|b)", "(?:ab)", "^", "$", "\\b", "|");
  const piece = fc
    .tuple(atom, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,2}", "*?"))
    .map(([base, repeat]) => (["^", "$", "\\b", "|"].includes(base) ? base : base + repeat));
  const pattern = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
  const text = fc.array(fc.constantFrom("a", "b", "1", " "), { maxLength: 8 }).map((chars) => chars.join(""));
  fc.assert(
    fc.property(pattern, text, (source, subject) => {
      expect(found(source, subject)).toBe(new RegExp(source).test(subject));
    }),
    { numRuns: 2000 },
  );
});
