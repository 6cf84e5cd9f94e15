import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { artifactLimit, pathQuery, refuseArtifact } from "./artifact.ts";

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
