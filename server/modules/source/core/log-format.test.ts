import { expect, test } from "vitest";
import { parseLog, parseNumstat } from "./log-format.ts";

test("commits keep messages of many lines", () => {
  const id = "a".repeat(40);
  const at = "2026-01-02T03:04:05+01:00";
  const output = [id, "Ada", "a@x", at, `${id} ${id}`, "one\n\ntwo\n", id, "Bob", "b@x", at, "", "three", ""].join(
    "\0",
  );
  expect(parseLog(output)).toEqual([
    { revision: id, author: "Ada", email: "a@x", at: new Date(at), parents: [id, id], message: "one\n\ntwo" },
    { revision: id, author: "Bob", email: "b@x", at: new Date(at), parents: [], message: "three" },
  ]);
  expect(parseLog("")).toEqual([]);
});

test("changed files keep their names, and binary ones have no lines", () =>
  expect(parseNumstat("1\t2\ta\tb.txt\0-\t-\timage.png\0")).toEqual([
    { path: "a\tb.txt", added: 1, removed: 2 },
    { path: "image.png", added: null, removed: null },
  ]));
