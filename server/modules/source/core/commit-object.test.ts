import { expect, test } from "vitest";
import { parseCommit } from "./commit-object.ts";

const id = "c".repeat(40);
const parents = ["a".repeat(40), "b".repeat(40)];

function commit(more: { headers?: string[]; message?: string; author?: string } = {}): Buffer {
  const { headers = [], message = "Fix\n\nIt was broken.\n", author = "Ada Lovelace <ada@example.com>" } = more;
  const lines = [
    `tree ${"d".repeat(40)}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${author} 1700000000 +0100`,
    "committer Grace <grace@example.com> 1700000060 -0800",
    ...headers,
  ];
  return Buffer.from(`${lines.join("\n")}\n\n${message}`);
}

test("a commit is read from its object", () => {
  expect(parseCommit(id, commit())).toEqual({
    revision: id,
    author: "Ada Lovelace",
    email: "ada@example.com",
    message: "Fix\n\nIt was broken.",
    at: new Date(1_700_000_060_000),
    parents,
  });
});

test("what stands in a signature is no header", () => {
  const headers = ["gpgsig -----BEGIN PGP SIGNATURE-----", " parent x", " -----END PGP SIGNATURE-----"];
  expect(parseCommit(id, commit({ headers }))?.parents).toEqual(parents);
});

test("an author without a name, and a message without text, are empty", () => {
  expect(parseCommit(id, commit({ author: "<ada@example.com>", message: "" }))).toMatchObject({
    author: "",
    email: "ada@example.com",
    message: "",
  });
});

test("one that is written in another encoding, or is broken, is left to git", () => {
  expect(parseCommit(id, commit({ headers: ["encoding ISO-8859-1"] }))).toBeUndefined();
  expect(parseCommit(id, Buffer.from("tree x\n"))).toBeUndefined();
});
