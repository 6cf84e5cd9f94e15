import fc from "fast-check";
import { expect, test } from "vitest";
import { finder, findInText, type LogQuery } from "./find-in-log.ts";

function find(query: Partial<LogQuery> & { text: string }, text: string) {
  const whole = { regex: false, ignoreCase: true, ...query };
  return [...findInText(finder(whole), text, { line: 1, regex: whole.regex })];
}

const lines = "one\nTwo two\n\nthrée THRÉE\n";

test("a text is found once a line, in whatever case, with where it stands", () => {
  expect(find({ text: "two" }, lines)).toEqual([{ line: 2, text: "Two two", from: 0, to: 3 }]);
  expect(find({ text: "two", ignoreCase: false }, lines)).toEqual([{ line: 2, text: "Two two", from: 4, to: 7 }]);
  expect(find({ text: "RÉE" }, lines)).toMatchObject([{ line: 4, from: 2 }]);
  expect(find({ text: "o" }, lines).map(({ line }) => line)).toEqual([1, 2]);
  expect(find({ text: "(" }, lines)).toEqual([]);
});

test("a pattern sees one line at a time", () => {
  expect(find({ text: "^t.*e$", regex: true }, lines).map(({ line }) => line)).toEqual([4]);
  expect(find({ text: "one\\s+two", regex: true }, lines)).toEqual([]);
});

test("of a long line only what stands around the find is shown", () => {
  const [match] = find({ text: "needle" }, `${"x".repeat(50_000)}needle${"y".repeat(50_000)}`);
  expect(match?.text.length).toBe(2_000);
  expect(match?.text.slice(match.from, match.to)).toBe("needle");
});

test("a text and its pattern find the same lines, which are those that have it", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "B", "\n", "."), maxLength: 60 });
  const needle = fc.string({ unit: fc.constantFrom("a", "B", "."), minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(word, needle, (text, searched) => {
      const wanted = text.split("\n").flatMap((line, at) => (line.includes(searched) ? [at + 1] : []));
      const found = find({ text: searched, ignoreCase: false }, text);
      expect(found.map(({ line }) => line)).toEqual(wanted);
      const pattern = { text: RegExp.escape(searched), regex: true, ignoreCase: false };
      expect(find(pattern, text)).toEqual(found);
    }),
  );
});
