/** Regular expressions without look-around and back-references: what can be matched in linear time. */

export type RegexNode =
  | { kind: "char"; accepts: (char: string) => boolean }
  | { kind: "assert"; at: "start" | "end" | "word-edge" | "no-word-edge" }
  | { kind: "sequence"; parts: RegexNode[] }
  | { kind: "choice"; options: RegexNode[] }
  | { kind: "repeat"; node: RegexNode; min: number; max: number };

export class RegexError extends Error {}

/** Largest count in `{n,m}`. */
const maximumCount = 100;
const maximumDepth = 30;

interface Reader {
  chars: string[];
  at: number;
  depth: number;
  ignoreCase: boolean;
}

/** Throws `RegexError` with a sentence for the user. */
export function parseRegex(source: string, ignoreCase: boolean): RegexNode {
  const inline = source.startsWith("(?i)");
  const reader: Reader = {
    chars: Array.from(inline ? source.slice(4) : source),
    at: 0,
    depth: 0,
    ignoreCase: ignoreCase || inline,
  };
  const node = readChoice(reader);
  if (reader.at < reader.chars.length) throw new RegexError("`)` closes nothing");
  return node;
}

function readChoice(reader: Reader): RegexNode {
  if (++reader.depth > maximumDepth) throw new RegexError(`groups are nested deeper than ${maximumDepth}`);
  const options = [readSequence(reader)];
  while (reader.chars[reader.at] === "|") {
    reader.at++;
    options.push(readSequence(reader));
  }
  reader.depth--;
  return options.length === 1 && options[0] ? options[0] : { kind: "choice", options };
}

function readSequence(reader: Reader): RegexNode {
  const parts: RegexNode[] = [];
  for (
    let next = reader.chars[reader.at];
    next !== undefined && next !== "|" && next !== ")";
    next = reader.chars[reader.at]
  )
    parts.push(readRepeats(reader, readAtom(reader, next)));
  return { kind: "sequence", parts };
}

function readRepeats(reader: Reader, node: RegexNode): RegexNode {
  const range = readRange(reader);
  if (!range) return node;
  // Lazy and greedy differ in what they catch, not in whether they match.
  if (reader.chars[reader.at] === "?") reader.at++;
  if (readRange(reader)) throw new RegexError("two repetitions follow each other");
  return { kind: "repeat", node, ...range };
}

const simpleRanges: Record<string, { min: number; max: number }> = {
  "*": { min: 0, max: Infinity },
  "+": { min: 1, max: Infinity },
  "?": { min: 0, max: 1 },
};

function readRange(reader: Reader): { min: number; max: number } | undefined {
  const next = reader.chars[reader.at] ?? "";
  const simple = simpleRanges[next];
  if (simple) reader.at++;
  if (simple || next !== "{") return simple;
  const [text, from = "", comma, to] =
    /^\{(\d+)(,)?(\d*)\}/.exec(reader.chars.slice(reader.at, reader.at + 12).join("")) ?? [];
  if (text === undefined) return undefined;
  reader.at += text.length;
  const min = Number(from);
  const max = comma ? (to ? Number(to) : Infinity) : min;
  if (min > max || min > maximumCount || (max > maximumCount && max !== Infinity))
    throw new RegexError(`a count is at most ${maximumCount}, the smaller one first`);
  return { min, max };
}

function readAtom(reader: Reader, next: string): RegexNode {
  reader.at++;
  if (next === "(") return readGroup(reader);
  if (next === "[") return { kind: "char", accepts: readClass(reader) };
  if (next === ".") return { kind: "char", accepts: (char) => char !== "\n" };
  if (next === "^") return { kind: "assert", at: "start" };
  if (next === "$") return { kind: "assert", at: "end" };
  if (next in simpleRanges) throw new RegexError(`\`${next}\` has nothing to repeat`);
  return next === "\\" ? readEscape(reader) : { kind: "char", accepts: exactly(next, reader.ignoreCase) };
}

function readGroup(reader: Reader): RegexNode {
  if (reader.chars[reader.at] === "?") {
    if (reader.chars[reader.at + 1] !== ":")
      throw new RegexError("groups that start with `(?` are not supported, but for `(?:` and a leading `(?i)`");
    reader.at += 2;
  }
  const node = readChoice(reader);
  if (reader.chars[reader.at] !== ")") throw new RegexError("a `(` is not closed");
  reader.at++;
  return node;
}

function exactly(expected: string, ignoreCase: boolean): (char: string) => boolean {
  if (!ignoreCase) return (char) => char === expected;
  const lower = expected.toLowerCase();
  return (char) => char.toLowerCase() === lower;
}

export function isWordChar(char: string | undefined): boolean {
  return char !== undefined && /^[A-Za-z0-9_]$/.test(char);
}

const classes: Record<string, (char: string) => boolean> = {
  d: (char) => char >= "0" && char <= "9",
  w: isWordChar,
  s: (char) => /^\s$/.test(char),
};

const controls: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

function readEscape(reader: Reader): RegexNode {
  const char = reader.chars[reader.at++];
  if (char === undefined) throw new RegexError("a `\\` stands at the end");
  if (char === "A" || char === "z" || char === "Z") return { kind: "assert", at: char === "A" ? "start" : "end" };
  if (char === "b" || char === "B") return { kind: "assert", at: char === "b" ? "word-edge" : "no-word-edge" };
  return { kind: "char", accepts: escaped(char, reader.ignoreCase) };
}

function escaped(char: string, ignoreCase: boolean): (char: string) => boolean {
  const named = classes[char.toLowerCase()];
  if (named) return char === char.toLowerCase() ? named : (other) => !named(other);
  if (controls[char]) return exactly(controls[char], false);
  if (isWordChar(char)) throw new RegexError(`\`\\${char}\` is not supported`);
  return exactly(char, ignoreCase);
}

function readClass(reader: Reader): (char: string) => boolean {
  const isNegated = reader.chars[reader.at] === "^";
  if (isNegated) reader.at++;
  const members: ((char: string) => boolean)[] = [];
  for (let isFirst = true; isFirst || reader.chars[reader.at] !== "]"; isFirst = false) {
    if (reader.at >= reader.chars.length) throw new RegexError("a `[` is not closed");
    members.push(readMember(reader));
  }
  reader.at++;
  return (char) => members.some((accepts) => accepts(char)) !== isNegated;
}

function readMember(reader: Reader): (char: string) => boolean {
  const first = readClassChar(reader);
  const isRange = reader.chars[reader.at] === "-" && ![undefined, "]"].includes(reader.chars[reader.at + 1]);
  if (typeof first !== "string") return first;
  if (!isRange) return exactly(first, reader.ignoreCase);
  reader.at++;
  const last = readClassChar(reader);
  if (typeof last !== "string" || last < first) throw new RegexError("a range in `[ ]` runs backwards");
  const within = (char: string): boolean => char >= first && char <= last;
  return reader.ignoreCase ? (char) => within(char.toLowerCase()) || within(char.toUpperCase()) : within;
}

function readClassChar(reader: Reader): string | ((char: string) => boolean) {
  const char = reader.chars[reader.at++] ?? "";
  if (char !== "\\") return char;
  const next = reader.chars[reader.at++];
  if (next === undefined) throw new RegexError("a `[` is not closed");
  if (controls[next]) return controls[next];
  return isWordChar(next) ? escaped(next, false) : next;
}
