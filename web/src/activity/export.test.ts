import { expect, test } from "vitest";
import { asCsv, asJson, type Entry, factsOf } from "./export.ts";

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

test("as JSON it is what the server said", () => {
  expect(JSON.parse(asJson([entry]))).toEqual([entry]);
});

test("for people the place comes first, then what says most; ids stand apart, to be copied, and commits are short", () => {
  const commit = "3ea407758e2f99cc0732728546662bc69e46d3a5";
  const deployment = "6ba3a4cb-d830-40b6-a22e-15e1ea641a29";
  const facts = { commits: [commit], deployment, phase: "swap", release: 2, service: "orders", environment: "test" };
  expect(factsOf({ facts })).toEqual({
    words: "orders in test, release: 2, phase: swap, commits: 3ea40775",
    ids: [{ name: "deployment", value: deployment }],
  });
  expect(factsOf({ facts: { repository: "orders", commit, reason: null } })).toEqual({
    words: "orders",
    ids: [{ name: "commit", value: commit }],
  });
});
