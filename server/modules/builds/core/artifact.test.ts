import fc from "fast-check";
import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { artifactLimit, disposition, pathQuery, refuseArtifact, servedType } from "./artifact.ts";

test.each([
  "",
  "/etc/passwd",
  "../x",
  "a/../../x",
  "a//b",
  "a/./b",
  "a/",
  ".",
  "a\nb",
  "a\0b",
  "a\\b",
  "\ud800",
  "a\ufffdb",
  "x".repeat(1_001),
])("the path %j is refused", (path) => {
  expect(refuseArtifact({ path, size: 1 })).toMatchObject({ refused: "artifact.invalid" });
});

test.each(["a", "dist/app.tar.gz", "..a/b..", "übung/日本 語.txt", "a b", "x".repeat(1_000)])(
  "the path %j is taken",
  (path) => {
    expect(refuseArtifact({ path, size: artifactLimit })).toBeUndefined();
    expect(refuseArtifact({ path, size: artifactLimit + 1 })).toMatchObject({ refused: "artifact.invalid" });
  },
);

test.each([
  ["*", "a/b/c.txt", true],
  ["pkg/*.tar.gz", "pkg/a/b.tar.gz", true],
  ["pkg/*.tar.gz", "other/b.tar.gz", false],
  ["**/*.{log,xml}", "a/b.xml", true],
  ["./a.txt", "a.txt", true],
  ["a.txt", "aXtxt", false],
])("the query %j on %j", (query, path, found) => {
  const matches = pathQuery(query);
  expect(isRefusal(matches) ? matches : matches(path)).toBe(found);
});

test("a query that is no glob is refused, and none takes long", () => {
  expect(pathQuery("a{b")).toMatchObject({ refused: "request.invalid" });
  const matches = pathQuery("*a".repeat(60));
  expect(isRefusal(matches) || matches("a".repeat(900))).toBeDefined();
});

test("what a browser would run is served as bytes", () => {
  for (const type of ["text/html", "image/svg+xml", "text/plainx", "application/xhtml+xml", "text/css"])
    expect(servedType(type)).toBe("application/octet-stream");
  for (const type of ["text/plain", "text/plain; charset=utf-8", "image/png"]) expect(servedType(type)).toBe(type);
});

test("a header names the file whatever it is called", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
      expect(disposition(name)).toMatch(
        /^attachment; filename="[A-Za-z0-9._ -]*"; filename\*=UTF-8''[A-Za-z0-9._~!%-]*$/,
      );
    }),
  );
});
