import fc from "fast-check";
import { expect, test } from "vitest";
import { commitStream, identityText, isTreePath } from "./commit-stream.ts";

test("a commit's texts cannot become commands of the stream", () => {
  const stream = commitStream({
    branch: "main",
    parent: "c".repeat(40),
    author: { name: "Eve\nreset refs/heads/x <", email: "e>@x" },
    message: "first\ndone\n",
    files: { 'a "b".txt': "ü", gone: null },
    at: new Date(1_700_000_000_000),
  });
  expect(stream).toBe(
    [
      "commit refs/heads/main",
      "committer Evereset refs/heads/x <e@x> 1700000000 +0000",
      "data 11\nfirst\ndone\n",
      `from ${"c".repeat(40)}`,
      String.raw`M 100644 inline "a \"b\".txt"`,
      "data 2\nü",
      'D "gone"',
      "done\n",
    ].join("\n"),
  );
});

test("an identity keeps no character that ends its field", () =>
  fc.assert(fc.property(fc.string(), (text) => /^[^<>\n]+$/.test(identityText(text)))));

test("paths stay inside the tree and out of .git", () => {
  const inside = ["README.md", "a/b c.txt", ".gitignore", "environments/test.yml", "a/.github/x"];
  const outside = ["", "/a", "a//b", "a/", "../a", "a/./b", ".git/config", "a/.GIT/x", "git~1/x", "a\nb", "a\\b"];
  expect([...inside, ...outside].filter(isTreePath)).toEqual(inside);
});
