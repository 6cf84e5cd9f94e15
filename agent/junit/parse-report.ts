/**
 * Reads JUnit XML as its many writers write it. There is no standard, so nothing is demanded: what looks like a test case is
 * one, in whatever nesting; what is missing is done without; XML that is broken gives what was read of it, and its fault.
 * Entities that a document defines are never expanded, so a small file stays small.
 */
import { SaxesParser, type SaxesTagPlain } from "saxes";

export type TestOutcome = "passed" | "failed" | "error" | "skipped";

export interface TestCase {
  /** Class, suite or file: what tells tests of one name apart. */
  scope: string;
  name: string;
  outcome: TestOutcome;
  /** Failed at first and passed when it was run again. */
  flaky: boolean;
  /** Tries before the last one. */
  retries: number;
  ms?: number;
  file?: string;
  line?: number;
  message?: string;
  /** Stack trace and what else stands in the failure. */
  detail?: string;
}

export interface ParsedReport {
  cases: TestCase[];
  /** Why not all of it may have been read, in words. */
  faults: string[];
}

const limits = { name: 500, message: 2_000, detail: 16_000, depth: 100, faults: 5 };

export function parseReport(text: string): ParsedReport {
  const reader = new ReportReader();
  const parser = new SaxesParser();
  const faults: string[] = [];
  parser.on("error", ({ message }) => void (faults.length < limits.faults && faults.push(message)));
  parser.on("opentag", (tag) => reader.open(tag));
  parser.on("closetag", () => reader.close());
  parser.on("text", (piece) => reader.text(piece));
  parser.on("cdata", (piece) => reader.text(piece));
  // Some writers print something before the document.
  parser.write(text.slice(Math.max(0, text.indexOf("<")))).close();
  reader.end();
  if (reader.cases.length === 0 && reader.suites === 0) faults.push("it has no test suite and no test case");
  return { cases: reader.cases, faults: [...faults, ...reader.faults] };
}

type Attributes = Record<string, string>;

/** A failure, an error, or why a test was skipped. */
interface Word {
  kind: "failed" | "error" | "skipped" | "again" | "flaky";
  message: string;
  type: string;
  text: string;
}

interface OpenCase {
  attributes: Attributes;
  words: Word[];
}

type Open =
  | { is: "suite"; attributes: Attributes; words: Word[] }
  | { is: "case"; open: OpenCase }
  | { is: "word"; word: Word }
  | { is: "other" };

const wordKinds: Record<string, Word["kind"]> = {
  failure: "failed",
  error: "error",
  skipped: "skipped",
  skip: "skipped",
  ignored: "skipped",
  disabled: "skipped",
  rerunfailure: "again",
  rerunerror: "again",
  flakyfailure: "flaky",
  flakyerror: "flaky",
};

class ReportReader {
  readonly cases: TestCase[] = [];
  readonly faults: string[] = [];
  suites = 0;
  #stack: Open[] = [];

  open({ name, attributes }: SaxesTagPlain): void {
    const plain = name.replace(/^.*:/, "").toLowerCase();
    this.#stack.push(this.#opened(plain, lowerKeys(attributes)));
    if (this.#stack.length === limits.depth) this.faults.push(`it is nested deeper than ${limits.depth} levels`);
  }

  #opened(name: string, attributes: Attributes): Open {
    if (this.#stack.length >= limits.depth) return { is: "other" };
    if (name === "testcase") return { is: "case", open: { attributes, words: [] } };
    if (name === "testsuite" || name === "testsuites") {
      this.suites++;
      return { is: "suite", attributes: name === "testsuite" ? attributes : {}, words: [] };
    }
    const kind = wordKinds[name];
    const parent = this.#stack.at(-1);
    // Only what stands right in a test or suite is a word about it; the trace of a rerun, say, is part of that.
    if (!kind || (parent?.is !== "case" && parent?.is !== "suite")) return { is: "other" };
    const word = { kind, message: attributes["message"] ?? "", type: attributes["type"] ?? "", text: "" };
    (parent.is === "case" ? parent.open : parent).words.push(word);
    return { is: "word", word };
  }

  text(piece: string): void {
    const within = this.#stack.findLast(({ is }) => is === "word");
    const output = this.#stack.at(-1)?.is === "other" && within === undefined;
    if (output || within?.is !== "word") return;
    const room = limits.detail - within.word.text.length;
    if (room > 0) within.word.text += piece.slice(0, room);
  }

  close(): void {
    const closed = this.#stack.pop();
    if (closed?.is === "case") this.cases.push(caseOf(closed.open, this.#suiteAttributes()));
    if (closed?.is === "suite") this.#suiteItself(closed);
  }

  /** What a document that ends too early left open. */
  end(): void {
    while (this.#stack.length > 0) this.close();
  }

  #suiteAttributes(): Attributes[] {
    return this.#stack.flatMap((open) => (open.is === "suite" ? [open.attributes] : []));
  }

  /** A suite that failed as such, in its set-up perhaps, counts as one test. */
  #suiteItself({ attributes, words }: Extract<Open, { is: "suite" }>): void {
    if (!words.some(({ kind }) => kind === "failed" || kind === "error")) return;
    const itself = { name: "(the suite itself)", classname: attributes["name"] ?? "" };
    this.cases.push(caseOf({ attributes: itself, words }, this.#suiteAttributes()));
  }
}

function lowerKeys(attributes: Record<string, string>): Attributes {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name.toLowerCase(), value]));
}

function caseOf({ attributes, words }: OpenCase, suites: readonly Attributes[]): TestCase {
  const name = attributes["name"]?.trim() || attributes["id"]?.trim() || "(no name)";
  const outcome = outcomeOf(attributes, words);
  const flaky = outcome === "passed" && words.some(({ kind }) => kind === "flaky");
  const ms = milliseconds(attributes["time"] ?? attributes["duration"]);
  const file = attributes["file"] ?? attributes["filepath"] ?? suites.findLast((suite) => suite["file"])?.["file"];
  const line = Number(attributes["line"] ?? attributes["lineno"]);
  return {
    scope: scopeOf(attributes, { name, suites, file }).slice(0, limits.name),
    name: name.slice(0, limits.name),
    ...{ outcome, flaky, retries: words.filter(({ kind }) => kind === "again" || kind === "flaky").length },
    ...(ms === undefined ? {} : { ms }),
    ...(file ? { file: file.slice(0, limits.name) } : {}),
    ...(Number.isSafeInteger(line) && line > 0 ? { line } : {}),
    ...explanation(words, { outcome, name }),
  };
}

/** The class where it says anything, or the suites that the test stands in, or its file. Node's own writer calls each class `test`. */
function scopeOf(
  attributes: Attributes,
  { name, suites, file }: { name: string; suites: readonly Attributes[]; file: string | undefined },
): string {
  const own = (attributes["classname"] ?? attributes["class"] ?? "").trim();
  if (own !== "" && own !== name && own !== "test") return own;
  const names = suites.map((suite) => suite["name"]?.trim() || suite["package"]?.trim() || "").filter(Boolean);
  return names.join(" › ") || file || "";
}

const saidOutcomes: [RegExp, TestOutcome][] = [
  [/^(fail|failed|failure)$/i, "failed"],
  [/^(error|errored|broken)$/i, "error"],
  [/^(skip|skipped|ignored|disabled|notrun|pending|suppressed|inconclusive)$/i, "skipped"],
];

function outcomeOf(attributes: Attributes, words: readonly Word[]): TestOutcome {
  for (const kind of ["error", "failed", "skipped"] as const) if (words.some((word) => word.kind === kind)) return kind;
  const said = [attributes["result"], attributes["status"], attributes["outcome"]];
  for (const [form, outcome] of saidOutcomes) if (said.some((word) => form.test(word ?? ""))) return outcome;
  return "passed";
}

/** Of what decided the outcome; a test that passed when it was run again shows why it had failed. */
function explanation(
  words: readonly Word[],
  { outcome, name }: Pick<TestCase, "outcome" | "name">,
): Pick<TestCase, "message" | "detail"> {
  const telling = words.filter(({ kind }) => kind === (outcome === "passed" ? "flaky" : outcome));
  const said = (of: "message" | "type" | "text") => telling.map((word) => word[of].trim()).filter(Boolean);
  const detail = said("text").join("\n\n").slice(0, limits.detail);
  // Some begin with the name of the test again.
  const firstLine = detail.split("\n").find((line) => line.trim() !== "" && !line.includes(name));
  const message = (said("message")[0] ?? firstLine?.trim() ?? said("type")[0] ?? "").slice(0, limits.message);
  return { ...(message ? { message } : {}), ...(detail && detail !== message ? { detail } : {}) };
}

const longestMs = 7 * 24 * 3_600_000;

/** `0.5`, `1.2e-3`, `1,234.5` (thousands) and `0,5` (a comma for the point), in seconds; `12ms` too. */
function milliseconds(written: string | undefined): number | undefined {
  const [, number = "", unit] = /^\s*([\d.,]+(?:e[+-]?\d+)?)\s*(ms|s|sec)?\s*$/i.exec(written ?? "") ?? [];
  const plain = number.includes(".") ? number.replaceAll(",", "") : number.replace(",", ".");
  const value = Number(plain) * (unit?.toLowerCase() === "ms" ? 1 : 1_000);
  return plain !== "" && value >= 0 && value <= longestMs ? Math.round(value) : undefined;
}
