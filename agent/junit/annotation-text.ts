/** Test results as Markdown for the page of a build. */
import { isFailed } from "./fold-tests.ts";
import type { TestCase } from "./parse-report.ts";

export interface AnnotationWish {
  /** What tells tests of one name apart: their class, or their file where it is known. */
  failureFormat: "classname" | "file";
  /** How many of the slowest are listed. */
  slowest: number;
  skipped: boolean;
}

const mostTests = 100;
const longestDetail = 4_000;

/** What is longer is cut, so that it stays below what an annotation may have. */
export function annotationText(
  tests: readonly TestCase[],
  { failureFormat, slowest, skipped }: AnnotationWish,
): string {
  const nameOf = (test: TestCase) => nameIn(test, failureFormat);
  const failed = tests.filter(isFailed);
  const left = tests.filter(({ outcome }) => outcome === "skipped");
  const slow = tests.filter(({ ms = 0 }) => ms > 0).toSorted((one, other) => (other.ms ?? 0) - (one.ms ?? 0));
  return [
    summary(tests.length, failed.length),
    ...failed.slice(0, mostTests).map((test) => failure(nameOf(test), test)),
    ...more(failed),
    ...(skipped && left.length > 0 ? [list("skipped", left.slice(0, mostTests).map(nameOf)), ...more(left)] : []),
    ...(slowest > 0 && slow.length > 0
      ? [list("slowest", slow.slice(0, Math.min(slowest, mostTests)).map(timed))]
      : []),
  ].join("\n\n");

  function timed(test: TestCase): string {
    return `${((test.ms ?? 0) / 1000).toFixed(2)} s ${nameOf(test)}`;
  }
}

function summary(all: number, failed: number): string {
  const tests = `${all} ${all === 1 ? "test" : "tests"}`;
  return failed === 0 ? `**None of ${tests} failed**` : `**${failed} of ${tests} failed**`;
}

function nameIn({ name, scope, file }: TestCase, format: AnnotationWish["failureFormat"]): string {
  const place = format === "file" ? (file ?? scope) : scope;
  return escaped(oneLine(place === "" ? name : `${name} in ${place}`));
}

function failure(name: string, { message = "", detail = "" }: TestCase): string {
  const parts = detail.includes(message) ? [detail] : [message, detail];
  const text = parts.filter(Boolean).join("\n").slice(0, longestDetail);
  return text === ""
    ? `- <code>${name}</code>`
    : `<details><summary><code>${name}</code></summary>\n\n${fenced(text)}\n\n</details>`;
}

/** By more backticks than stand in it anywhere. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

const list = (title: string, lines: readonly string[]): string =>
  [`**${title}**`, "", ...lines.map((line) => `- <code>${line}</code>`)].join("\n");

const more = (tests: readonly TestCase[]): string[] =>
  tests.length > mostTests ? [`… and ${tests.length - mostTests} more`] : [];

const oneLine = (text: string) => text.replaceAll(/\s+/g, " ").trim();

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("`", "&#96;");
