import fc from "fast-check";
import { expect, test } from "vitest";
import { compileGlob } from "./glob.ts";

function fits(glob: string, path: string): boolean | string {
  const compiled = compileGlob(glob);
  return "matches" in compiled ? compiled.matches(path) : compiled.problem;
}

test.each([
  ["foo/*", "foo/a.go", true],
  ["foo/*", "foo/bar/a.go", false],
  ["foo/**", "foo/bar/a.go", true],
  ["foo/**", "foobar/a.go", false],
  ["*.go", "a.go", true],
  ["*.go", "x/a.go", false],
  ["**.go", "a.go", true],
  ["**.go", "x/y/a.go", true],
  ["**/*.go", "a.go", true],
  ["**/*.go", "x/y/a.go", true],
  ["foo/**/bar/*", "foo/bar/x", true],
  ["foo/**/bar/*", "foo/tmp/logs/bar/x", true],
  ["foo/**/bar/*", "foo/tmpbar/x", false],
  ["{foo,bar}.go", "bar.go", true],
  ["foo{,bar}.go", "foo.go", true],
  ["{**.go,go.{mod,sum}}", "go.sum", true],
  ["{**.go,go.{mod,sum}}", "go.work", false],
  ["{foo/**.go,fixtures/**}", "fixtures/a/b.txt", true],
  ["foo?.txt", "foo1.txt", true],
  ["foo?.txt", "foo/.txt", false],
  ["foo\\?.txt", "foo?.txt", true],
  ["foo\\?.txt", "foo1.txt", false],
  ["log[^789]???.out", "log1234.out", true],
  ["log[^789]???.out", "log7234.out", false],
  ["side[AB]", "sideB", true],
  ["[c-g]", "d", false],
  ["[c-g]", "-", true],
  ["a.b", "axb", false],
  ["**", "any/thing", true],
  ["docs/*.md", "docs/ä.md", true],
])("%s on %s is %s", (glob, path, expected) => {
  expect(fits(glob, path)).toBe(expected);
});

test.each(["{a", "[a", "a\\", "{".repeat(20)])("%j is refused with a reason", (glob) => {
  expect(fits(glob, "a")).toBeTypeOf("string");
});

test("patterns that stop other matchers take no longer than others", () => {
  expect(fits(`${"*a".repeat(100)}b`, "a".repeat(2000))).toBe(false);
});

test("no pattern makes it throw, and a path without special characters is its own pattern", () => {
  const piece = fc.constantFrom("*", "**", "?", "{", "}", ",", "[", "]", "^", "\\", "/", "a", ".");
  const glob = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(glob, fc.string(), (pattern, path) => {
      expect(["boolean", "string"]).toContain(typeof fits(pattern, path));
    }),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z./_-]{1,20}$/), (path) => {
      expect(fits(path, path)).toBe(true);
    }),
  );
});
