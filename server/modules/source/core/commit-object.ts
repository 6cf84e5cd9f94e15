import type { Commit } from "./log-format.ts";

/**
 * A commit from its object, as `git cat-file commit` writes it (https://git-scm.com/docs/git-hash-object, type `commit`).
 * Undefined for one that is not UTF-8, which only `git log` can tell.
 */
export function parseCommit(id: string, content: Buffer): Commit | undefined {
  const end = content.indexOf("\n\n");
  const head = content.subarray(0, end < 0 ? content.length : end).toString("utf8");
  // Lines that begin with a space belong to the header before, such as a signature.
  const headers = head.split("\n").filter((line) => !line.startsWith(" "));
  const values = (name: string) =>
    headers.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  if (values("encoding").length > 0) return undefined;
  const author = /^(.*?) ?<([^>]*)>/.exec(values("author")[0] ?? "");
  const seconds = /> (\d+) [+-]\d{4}$/.exec(values("committer")[0] ?? "")?.[1];
  if (!author || seconds === undefined) return undefined;
  return {
    revision: id,
    author: author[1] ?? "",
    email: author[2] ?? "",
    message: (end < 0 ? "" : content.subarray(end + 2).toString("utf8")).trimEnd(),
    at: new Date(Number(seconds) * 1000),
    parents: values("parent"),
  };
}
