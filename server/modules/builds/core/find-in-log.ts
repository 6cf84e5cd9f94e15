/** The search for a text or a pattern in a log that comes in pieces; each line is found once. */

export interface LogMatch {
  line: number;
  /** The line, or what of a long one stands around the find. */
  text: string;
  /** The find within `text`, in characters as JavaScript counts them. */
  from: number;
  to: number;
}

export interface LogQuery {
  text: string;
  regex: boolean;
  ignoreCase: boolean;
}

/** A find in the text from `from` on. */
type Find = (text: string, from: number) => { index: number; length: number } | undefined;

const shown = { before: 200, after: 1_800 };

/** Finds the query in text; throws where the pattern is none. */
export function finder({ text, regex, ignoreCase }: LogQuery): Find {
  if (!regex && !ignoreCase) {
    return (given, from) => {
      const index = given.indexOf(text, from);
      return index === -1 ? undefined : { index, length: text.length };
    };
  }
  const pattern = new RegExp(regex ? text : RegExp.escape(text), ignoreCase ? "giu" : "gu");
  return (given, from) => {
    pattern.lastIndex = from;
    const match = pattern.exec(given);
    return match ? { index: match.index, length: match[0].length } : undefined;
  };
}

/** The first find of each line. `line` is the number of the first. A pattern sees one line at a time, a text needs not. */
export function* findInText(find: Find, text: string, { line, regex }: { line: number; regex: boolean }) {
  yield* regex ? byLines(find, text, line) : byFinds(find, text, line);
}

function* byLines(find: Find, text: string, first: number): Generator<LogMatch> {
  let line = first;
  for (let begin = 0; begin < text.length; line++) {
    const end = endOfLine(text, begin);
    const found = find(text.slice(begin, end), 0);
    if (found) yield matchOf({ text, begin, end, line }, { ...found, index: begin + found.index });
    begin = end + 1;
  }
}

function* byFinds(find: Find, text: string, first: number): Generator<LogMatch> {
  let line = first;
  let begin = 0;
  for (let found = find(text, 0); found; found = begin < text.length ? find(text, begin) : undefined) {
    for (let end = text.indexOf("\n", begin); end !== -1 && end < found.index; end = text.indexOf("\n", begin)) {
      line++;
      begin = end + 1;
    }
    const end = endOfLine(text, begin);
    yield matchOf({ text, begin, end, line }, found);
    begin = end + 1;
    line++;
  }
}

function endOfLine(text: string, begin: number): number {
  const end = text.indexOf("\n", begin);
  return end === -1 ? text.length : end;
}

interface Line {
  text: string;
  begin: number;
  end: number;
  line: number;
}

function matchOf({ text, begin, end, line }: Line, { index, length }: { index: number; length: number }): LogMatch {
  const from = Math.max(begin, index - shown.before);
  const to = Math.min(end, index + shown.after);
  return { line, text: text.slice(from, to), from: index - from, to: Math.min(index + length, to) - from };
}
