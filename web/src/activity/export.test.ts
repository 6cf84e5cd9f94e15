import { expect, test } from "vitest";
import { asCsv, asJson, type Entry, factWords } from "./export.ts";

const entry: Entry = {
  ...{ id: 7, at: "2026-11-28T10:00:00.000Z", name: "source.ref-changed", subject: "orders", actor: null },
  facts: { ref: 'a "quoted", name', number: 3 },
};

test("quotes and commas stay within their cell", () => {
  expect(asCsv([entry])).toBe(
    'id,at,name,subject,actor,facts\r\n7,2026-11-28T10:00:00.000Z,source.ref-changed,orders,,"{""ref"":""a \\""quoted\\"", name"",""number"":3}"\r\n',
  );
});

test("what a spreadsheet would compute is text", () => {
  expect(asCsv([{ ...entry, subject: "=HYPERLINK(1)", facts: {} }])).toContain(",'=HYPERLINK(1),");
});

test("as JSON it is what the server said, and as words each fact with its name", () => {
  expect(JSON.parse(asJson([entry]))).toEqual([entry]);
  expect(factWords(entry)).toBe('ref: a "quoted", name, number: 3');
});
