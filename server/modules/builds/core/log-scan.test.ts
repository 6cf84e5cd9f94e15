import fc from "fast-check";
import { expect, test } from "vitest";
import { type Found, type GroupFact, lineCount, markBytes, scanPiece, startScan } from "./log-scan.ts";

function scanAll(text: string | Buffer, cuts: number[] = [], ms = (piece: number) => piece): Found & { lines: number } {
  const bytes = Buffer.from(text);
  const scan = startScan();
  const all: Found = { marks: [], groups: [] };
  let from = 0;
  for (const [index, length] of [...cuts, bytes.length].entries()) {
    const found = scanPiece(scan, bytes.subarray(from, from + length), [[0, ms(index)]]);
    all.marks.push(...found.marks);
    all.groups.push(...found.groups);
    from = Math.min(bytes.length, from + length);
  }
  return { ...all, lines: lineCount(scan) };
}

const group = (text: string) => scanAll(`${text}\n`).groups;

test("groups begin with ---, +++ and ~~~ at the begin of a line", () => {
  expect(group("--- :node: Tests")).toMatchObject([{ kind: "---", title: ":node: Tests", line: 1, offset: 0 }]);
  expect(scanAll("a\n+++ Failed\n~~~ Clean up\n").groups).toMatchObject([
    { kind: "+++", title: "Failed", line: 2, offset: 2 },
    { kind: "~~~", title: "Clean up", line: 3, offset: 13 },
  ]);
  for (const none of ["----", "---x", " --- x", "-- x", "a --- b"]) expect(group(none)).toEqual([]);
});

test("a title comes without colours and is not endless", () => {
  expect(group("--- \u001b[31mred\u001b[0m and \u001b]0;window\u0007rest\r")).toMatchObject([
    { title: "red and rest" },
  ]);
  expect(group(`--- ${"long ".repeat(1_000)}`)).toMatchObject([{ title: expect.stringMatching(/^.{190,200}$/) }]);
});

test("^^^ +++ opens the group that it stands in, other words behind ^^^ do not", () => {
  expect(scanAll("--- a\n^^^ +++\n^^^ it failed\n").groups).toMatchObject([{ title: "a" }, { open: true, offset: 6 }]);
});

const untimed = (fact: GroupFact) => ({ ...fact, at: 0 });

const text = fc
  .array(fc.oneof(fc.constantFrom("--- ", "+++ ", "~~~", "^^^ +++", "\n", "é", "a"), fc.string({ maxLength: 5 })))
  .map((parts) => parts.join(""));

test("whatever the pieces, groups and lines are the same", () => {
  fc.assert(
    fc.property(text, fc.array(fc.nat(6)), (given, cuts) => {
      const whole = scanAll(given);
      const pieces = scanAll(given, cuts);
      expect(pieces.groups.map(untimed)).toEqual(whole.groups.map(untimed));
      const lines = given === "" ? 0 : given.split("\n").length - (given.endsWith("\n") ? 1 : 0);
      expect([whole.lines, pieces.lines]).toEqual([lines, lines]);
    }),
  );
});

test("marks name the byte, number and time of a line, and stand close to each other", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9_000), { maxLength: 60 }), (lengths) => {
      const lines = lengths.map((length) => `${"x".repeat(length)}\n`);
      const { marks } = scanAll(
        lines.join(""),
        lines.map(({ length }) => length),
      );
      const begins = lines.map((_, index) => lines.slice(0, index).join("").length);
      expect(marks[0] ?? lines.length).toEqual(lines.length === 0 ? 0 : { offset: 0, line: 1, at: 0 });
      for (const { offset, line } of marks) expect(offset).toBe(begins[line - 1]);
      for (const [index, begin] of begins.entries()) {
        const before = marks.findLast(({ line }) => line <= index + 1);
        expect(begin - (before?.offset ?? 0)).toBeLessThan(markBytes);
      }
    }),
  );
});

test("lines of another tenth of a second have a mark of their own, and no clock goes backwards", () => {
  const times = [0, 50, 100, 40, 250];
  const { marks } = scanAll("1\n2\n3\n4\n5\n", [2, 2, 2, 2, 2], (piece) => times[piece] ?? 250);
  expect(marks).toEqual([
    { offset: 0, line: 1, at: 0 },
    { offset: 4, line: 3, at: 100 },
    { offset: 8, line: 5, at: 250 },
  ]);
});
