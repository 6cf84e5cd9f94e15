import fc from "fast-check";
import { expect, test } from "vitest";
import { foldTests } from "./fold-tests.ts";
import { parseReport, type TestCase } from "./parse-report.ts";

const suite = (inside: string) => `<testsuite name="s">${inside}</testsuite>`;

test("a report that ends too early gives what was read of it, and says so", () => {
  const { cases, faults } = parseReport(
    '<testsuite name="s"><testcase name="one"/><testcase name="two"><failure message="no">at',
  );
  expect(cases).toMatchObject([
    { name: "one", outcome: "passed" },
    { name: "two", outcome: "failed", detail: "at" },
  ]);
  expect(faults).not.toEqual([]);
});

test("characters that XML does not allow cost the report nothing but a word", () => {
  const { cases, faults } = parseReport(
    suite('<testcase name="one"><failure message="\u001b[31mred">\u0000x</failure></testcase>'),
  );
  expect(cases).toMatchObject([{ name: "one", outcome: "failed" }]);
  expect(faults).not.toEqual([]);
});

test("entities that a document defines are not expanded", () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c SYSTEM "file:///etc/passwd">]>${suite('<testcase name="&b;"><failure message="&c;"/></testcase>')}`;
  const { cases, faults } = parseReport(bomb);
  expect(JSON.stringify(cases)).not.toMatch(/aaaa|root:/);
  expect(cases.length).toBe(1);
  expect(faults).not.toEqual([]);
});

test("depth and lengths are limited", () => {
  const deep = parseReport(`${"<testsuite>".repeat(50_000)}<testcase name="x"/>`);
  expect(deep.faults.join()).toContain("deeper than 100 levels");
  const [long] = parseReport(
    suite(
      `<testcase name="${"n".repeat(9_999)}"><failure message="${"m".repeat(99_999)}">${"d".repeat(99_999)}</failure></testcase>`,
    ),
  ).cases;
  expect([long?.name.length, long?.message?.length, long?.detail?.length]).toEqual([500, 2_000, 16_000]);
});

test("what is no report says that it has no test", () => {
  for (const other of ["", "not xml", "<html><body/></html>", "{}"])
    expect(parseReport(other).faults.join()).toContain("no test suite");
  expect(parseReport('<testsuites tests="0"/>')).toEqual({ cases: [], faults: [] });
});

test("no bytes make the parser throw", () => {
  const piece = fc.constantFrom(
    "<testcase",
    ' name="a"',
    ">",
    "/>",
    "</testcase>",
    "<failure>",
    "<![CDATA[",
    "]]>",
    "&",
    "<!DOCTYPE",
    "x",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ unit: "binary", maxLength: 5 }))), (parts) => {
      const { cases } = parseReport(parts.join(""));
      expect(cases.every(({ name }) => name.length > 0)).toBe(true);
    }),
  );
});

const result = (outcome: TestCase["outcome"]): TestCase => ({
  scope: "s",
  name: "t",
  outcome,
  flaky: false,
  retries: 0,
  ms: 1,
});
const fold = (outcomes: TestCase["outcome"][], runPassed: boolean) => foldTests(outcomes.map(result), runPassed)[0];

test("several results of one name are one test, that failed if any failed", () => {
  expect(fold(["passed", "failed", "passed"], false)).toMatchObject({ outcome: "failed", flaky: false, ms: 3 });
  expect(fold(["passed", "skipped"], false)).toMatchObject({ outcome: "passed" });
  expect(fold(["skipped", "skipped"], true)).toMatchObject({ outcome: "skipped" });
});

test("a test that failed and then passed in a run that passed is flaky", () => {
  expect(fold(["failed", "error", "passed"], true)).toMatchObject({ outcome: "passed", flaky: true, retries: 2 });
  expect(fold(["passed", "failed"], true)).toMatchObject({ outcome: "failed", flaky: false });
});
