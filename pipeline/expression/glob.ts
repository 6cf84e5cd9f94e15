/**
 * Buildkite's globs over whole paths: `*` and `?` within a folder, `**` across folders, `{a,b}`, `[abc]`, `[^abc]`, and `\` before
 * a character that is meant itself. They become programs of our own regular expressions: linear whatever the pattern.
 */
import { compileNode, type Fuel } from "./regex.ts";
import { RegexError, type RegexNode } from "./regex-parse.ts";

const maximumDepth = 10;

/** The matcher, or why the pattern is none. */
export function compileGlob(glob: string): { matches: (path: string, fuel?: Fuel) => boolean } | { problem: string } {
  try {
    const reader: Reader = { chars: Array.from(glob), at: 0, depth: 0 };
    const node = readSequence(reader);
    const start: RegexNode = { kind: "assert", at: "start" };
    const end: RegexNode = { kind: "assert", at: "end" };
    const regex = compileNode({ kind: "sequence", parts: [start, node, end] });
    // Most paths differ from most globs in their first folder, and comparing that costs nothing.
    const [prefix = ""] = /^[^*?{[\\]*/.exec(glob) ?? [];
    return { matches: (path, fuel) => path.startsWith(prefix) && regex.test(path, fuel) };
  } catch (error) {
    if (error instanceof RegexError) return { problem: error.message };
    throw error;
  }
}

interface Reader {
  chars: string[];
  at: number;
  depth: number;
}

/** Up to the end, or inside braces up to what ends the part. */
function readSequence(reader: Reader): RegexNode {
  const parts: RegexNode[] = [];
  for (let next = reader.chars[reader.at]; next !== undefined; next = reader.chars[reader.at]) {
    if (reader.depth > 0 && (next === "," || next === "}")) break;
    parts.push(readPart(reader, next));
  }
  return { kind: "sequence", parts };
}

function readPart(reader: Reader, next: string): RegexNode {
  if (next === "*" && reader.chars[reader.at + 1] === "*") return readFolders(reader);
  reader.at++;
  if (next === "*") return anyNumber(within);
  if (next === "?") return within;
  if (next === "{") return readChoice(reader);
  if (next === "[") return readClass(reader);
  if (next !== "\\") return exactly(next);
  const escaped = reader.chars[reader.at++];
  if (escaped === undefined) throw new RegexError("a `\\` stands at the end");
  return exactly(escaped);
}

/** `**` and the slash behind it stand for any number of folders, none among them. */
function readFolders(reader: Reader): RegexNode {
  const isWhole = reader.at === 0 || reader.chars[reader.at - 1] === "/";
  while (reader.chars[reader.at] === "*") reader.at++;
  if (!isWhole || reader.chars[reader.at] !== "/") return anyNumber(anything);
  reader.at++;
  const folders: RegexNode = { kind: "sequence", parts: [anyNumber(anything), exactly("/")] };
  return { kind: "repeat", node: folders, min: 0, max: 1 };
}

function readChoice(reader: Reader): RegexNode {
  if (++reader.depth > maximumDepth) throw new RegexError(`braces are nested deeper than ${maximumDepth}`);
  const options = [readSequence(reader)];
  while (reader.chars[reader.at] === ",") {
    reader.at++;
    options.push(readSequence(reader));
  }
  if (reader.chars[reader.at] !== "}") throw new RegexError("a `{` is not closed");
  reader.at++;
  reader.depth--;
  return { kind: "choice", options };
}

function readClass(reader: Reader): RegexNode {
  const isNegated = reader.chars[reader.at] === "^";
  if (isNegated) reader.at++;
  const end = reader.chars.indexOf("]", reader.at);
  if (end < 0) throw new RegexError("a `[` is not closed");
  const members = new Set(reader.chars.slice(reader.at, end));
  reader.at = end + 1;
  return { kind: "char", accepts: (char) => members.has(char) !== isNegated && (!isNegated || char !== "/") };
}

const within: RegexNode = { kind: "char", accepts: (char) => char !== "/" };
const anything: RegexNode = { kind: "char", accepts: () => true };

function exactly(expected: string): RegexNode {
  return { kind: "char", accepts: (char) => char === expected };
}

function anyNumber(node: RegexNode): RegexNode {
  return { kind: "repeat", node, min: 0, max: Infinity };
}
