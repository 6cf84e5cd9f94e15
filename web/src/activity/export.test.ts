import { expect, test } from "vitest";
import { asCsv, asJson, type Entry, factsOf } from "./export.ts";
import { mostExported, readAll } from "./read-all.ts";

const entry: Entry = {
  ...{ id: 7, at: "2026-11-28T10:00:00.000Z", name: "source.ref-changed", subject: "orders", actor: null },
  ...{ kind: "code and pull requests", sentence: "The branch main of orders was moved, now at commit 3ea40775" },
  facts: { ref: 'a "quoted", name', number: 3 },
};

test("quotes and commas stay within their cell", () => {
  expect(asCsv([entry])).toBe(
    'id,at,sentence,kind,name,subject,actor,facts\r\n7,2026-11-28T10:00:00.000Z,"The branch main of orders was moved, now at commit 3ea40775",code and pull requests,source.ref-changed,orders,,"{""ref"":""a \\""quoted\\"", name"",""number"":3}"\r\n',
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

/** A log of so many entries, asked as the server is. */
function logOf(total: number) {
  const asked: (number | undefined)[] = [];
  const ask = async ({ before = total + 1, limit }: { before: number | undefined; limit: number }) => {
    asked.push(before);
    const most = Math.min(limit, before - 1);
    return { entries: Array.from({ length: most }, (_, index) => ({ ...entry, id: before - 1 - index })) };
  };
  return { asked, ask };
}

test("a file has all entries once, newest first, however many pages the server gives them in", async () => {
  for (const total of [0, 499, 500, 501, 1203]) {
    const { ask } = logOf(total);
    const ids = (await readAll(ask)).map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: total }, (_, index) => total - index));
  }
});

test("a file ends where a browser could not hold more", async () => {
  const { asked, ask } = logOf(mostExported * 2);
  expect(await readAll(ask)).toHaveLength(mostExported);
  expect(asked).toHaveLength(mostExported / 500);
});
