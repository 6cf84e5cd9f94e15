/**
 * Which releases' images stay in the registry, said in words: `keep the last 20 releases, and everything deployed`. A release stays
 * when any rule keeps it. What deployments need stays in any case, said or not.
 */
import { refuse, type Refusal } from "./errors.ts";
import { nearest } from "./nearest.ts";

export type KeepRule =
  /** Newest releases of each service. */
  | { kind: "newest"; count: number }
  /** Made in the last days. */
  | { kind: "days"; count: number }
  | { kind: "every" };

interface Form {
  /** `n` stands for a number; alternatives are parted by a bar. */
  words: string[];
  /** The largest number. */
  most: number;
  /** Nothing for what holds in any case. */
  rule(count: number): KeepRule | undefined;
}

const form = (words: string, rule: Form["rule"], most = 0): Form => ({ words: words.split(" "), most, rule });

const forms = [
  form("last n release|releases", (count) => ({ kind: "newest", count }), 100_000),
  form("releases of last n day|days", (count) => ({ kind: "days", count }), 36_500),
  form("releases of last n week|weeks", (count) => ({ kind: "days", count: 7 * count }), 5_200),
  form("every release", () => ({ kind: "every" })),
  form("everything deployed", () => undefined),
];

const examples =
  "Rules are `the last 20 releases`, `the releases of the last 90 days`, `every release` and `everything deployed`, with commas between them.";

interface Word {
  /** Empty at the end of a rule. */
  text: string;
  /** Of its first character, from 1. */
  column: number;
}

/** Rules are parted by a comma, by `and`, or by both; `keep` before a rule and `the` may be left out. */
export function parseKeepReleases(text: string): KeepRule[] | Refusal {
  const rules: KeepRule[] = [];
  for (const words of rulesIn(text)) {
    const read = readRule(words);
    if ("refused" in read) return read;
    if (read.rule) rules.push(read.rule);
  }
  return rules;
}

/** Reads as the same rules again. */
export function keepReleasesInWords(rules: readonly KeepRule[]): string {
  if (rules.length === 0) return "keep everything deployed";
  return `keep ${rules.map(ruleInWords).join(", ")}, and everything deployed`;
}

export function ruleInWords(rule: KeepRule): string {
  if (rule.kind === "every") return "every release";
  const many = rule.count === 1 ? "" : "s";
  return rule.kind === "newest"
    ? `the last ${rule.count} release${many}`
    : `the releases of the last ${rule.count} day${many}`;
}

/** Word by word, without `keep` and `the` where they say nothing. */
function rulesIn(text: string): Word[][] {
  const words = [...text.matchAll(/,|[^\s,]+/g)].map(({ 0: word, index }) => ({ text: word, column: index + 1 }));
  const rules: Word[][] = [];
  let rule: Word[] = [];
  const end = (column: number) => {
    rules.push([...rule, { text: "", column }]);
    rule = [];
  };
  for (const [at, { text: word, column }] of words.entries()) {
    const [before, next] = [words[at - 1]?.text, words[at + 1]?.text ?? ""];
    const isAnd = /^and$/i.test(word);
    if (word === "," || (isAnd && before !== ",")) end(column);
    else if (isAnd || (/^keep$/i.test(word) && rule.length === 0)) continue;
    else if (!(/^the$/i.test(word) && /^(last|releases)$/i.test(next))) rule.push({ text: word, column });
  }
  end(text.length + 1);
  return rules;
}

/** Follows all forms at once, until a word fits none of them. */
function readRule(words: Word[]): { rule: KeepRule | undefined } | Refusal {
  let open = forms;
  let number: Word | undefined;
  for (const [at, word] of words.entries()) {
    const expected = (each: Form) => (each.words[at] ?? "").split("|");
    const fitting = open.filter((each) => fits(word.text.toLowerCase(), expected(each)));
    if (fitting.length === 0) return unexpected(word, [...new Set(open.flatMap(expected))]);
    if (isNumber(word.text)) number = word;
    open = fitting;
  }
  const [{ most, rule }] = open as [Form];
  const count = Number(number?.text ?? 0);
  return number && count > most ? wrong(number, `is more than ${most}`, examples) : { rule: rule(count) };
}

function fits(word: string, expected: string[]): boolean {
  return expected[0] === "n" ? isNumber(word) : expected.includes(word);
}

const isNumber = (word: string) => /^[1-9]\d{0,8}$/.test(word);

function unexpected(word: Word, expected: string[]): Refusal {
  if (isNumber(word.text) && expected.includes("last"))
    return wrong(word, "is no rule", `Write \`the last ${word.text} releases\`.`);
  const meant = nearest(
    word.text.toLowerCase(),
    expected.filter((each) => each.length > 1),
  );
  const wanted = expected.map((each) =>
    each === "n" ? "a number" : each === "" ? "the end of the rule" : `\`${each}\``,
  );
  const problem = `where ${wanted.length > 1 ? "one of " : ""}${wanted.join(", ")} is expected`;
  return wrong(word, problem, meant ? `Did you mean \`${meant}\`?` : examples);
}

function wrong({ text, column }: Word, problem: string, fix: string): Refusal {
  return refuse("config.invalid", `character ${column}: ${text === "" ? "nothing" : `\`${text}\``} ${problem}`, {
    fix,
  });
}
