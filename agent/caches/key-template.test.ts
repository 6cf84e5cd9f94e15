import { expect, test } from "vitest";
import { expandKey, tellsContent } from "./key-template.ts";

const facts = {
  branch: "feature/x",
  checksum: async (files: readonly string[]) => (files.includes("missing") ? undefined : files.join("+")),
};
const expand = (template: string) => expandKey(template, facts);

test("a key stands for the digests of its files, its branch and its machine", async () => {
  expect(await expand("plain")).toEqual({ key: "plain" });
  expect(await expand('npm-{{ checksum "package-lock.json" }}-{{branch}}')).toEqual({
    key: "npm-package-lock.json-feature/x",
  });
  expect(await expand(`{{ checksum "a" 'b c' }} {{ arch }}`)).toEqual({
    key: `a+b c ${process.platform}-${process.arch}`,
  });
});

test("what is not known in a key, or names no file, is said and not guessed", async () => {
  expect(await expand('{{ checksum "missing" }}')).toEqual({
    fault: '{{ checksum "missing" }} in the cache\'s key names a file that the repository does not have',
  });
  expect(await expand("{{ epoch }}")).toEqual({
    fault: '{{ epoch }} in the cache\'s key is not known; there are {{ checksum "file" }}, {{ branch }} and {{ arch }}',
  });
});

test("only a key with a digest in it tells what it holds", () => {
  expect([tellsContent("deps"), tellsContent('deps-{{checksum "x"}}')]).toEqual([false, true]);
});
