import { expect, test } from "vitest";
import { type Change, languageOf, lineOn, placeOf, threadsOf, whyFolded } from "./diff-lines.ts";
import { type Comment, standing, threadsIn } from "./standing.ts";

const same: Change = { type: "normal", oldLineNumber: 3, newLineNumber: 5 };
const gone: Change = { type: "delete", lineNumber: 4 };
const fresh: Change = { type: "insert", lineNumber: 6 };

test("a line that only one side has is commented there, any other on the new side unless the old one is meant", () => {
  expect([same, gone, fresh].map((change) => placeOf(change))).toEqual([
    { side: "new", line: 5 },
    { side: "old", line: 4 },
    { side: "new", line: 6 },
  ]);
  expect(placeOf(same, "old")).toEqual({ side: "old", line: 3 });
  expect([lineOn("new", gone), lineOn("old", fresh)]).toEqual([undefined, undefined]);
});

test("comments of a file stand at the line where it is now, and apart where the line has changed", () => {
  const said = (id: string, path: string, now: number | null) =>
    ({ id, place: { path, side: "new", line: 1, now } }) as unknown as Comment;
  const whole = { id: "w", place: null } as unknown as Comment;
  const { at, outdated } = threadsOf(
    [said("a", "f", 7), said("b", "g", 7), said("c", "f", null), said("d", "f", 7), whole],
    "f",
  );
  expect(at.get("new:7")?.map(({ id }) => id)).toEqual(["a", "d"]);
  expect(outdated.map(({ id }) => id)).toEqual(["c"]);
});

test("what is long, or written by a program, is folded with the reason", () => {
  expect(whyFolded({ path: "a.ts", added: 20, removed: 3 })).toBe(undefined);
  expect(whyFolded({ path: "a.ts", added: 399, removed: 1 })).toBe("400 lines changed.");
  expect(whyFolded({ path: "web/package-lock.json", added: 1, removed: 1 })).toBe("Written by a program.");
  expect(whyFolded({ path: "a.png", added: null, removed: null })).toBe(undefined);
});

test("the language is told by the name", () => {
  const known = ["src/a.TS", "Makefile", "x/towline.yml", "LICENSE", ".gitignore"].map(languageOf);
  expect(known).toEqual(["typescript", "makefile", "yaml", undefined, undefined]);
});

test("how it stands names what is to be settled first", () => {
  const waiting = (...codes: string[]) =>
    standing({ state: "open", waitsFor: codes.map((code) => ({ code, message: "" })) }).word;
  expect(waiting()).toBe("ready to merge");
  expect(waiting("pull-request.not-approved", "pull-request.not-green")).toBe("waits for approval");
  expect(waiting("pull-request.not-green", "pull-request.conflicts")).toBe("conflicts");
  expect(standing({ state: "merged", waitsFor: [] }).word).toBe("merged");
});

test("what was said about one line stands together, and a word on the whole alone", () => {
  const said = (id: string, now?: number) =>
    ({ id, place: now === undefined ? null : { path: "f", side: "new", now } }) as unknown as Comment;
  const threads = threadsIn([said("a", 1), said("b"), said("c", 2), said("d", 1), said("e")]);
  expect(threads.map((thread) => thread.map(({ id }) => id))).toEqual([["a", "d"], ["b"], ["c"], ["e"]]);
});
