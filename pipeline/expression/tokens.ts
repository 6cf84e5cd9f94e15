/** Words of the condition language. */

export type Token =
  | { kind: "text"; value: string; offset: number }
  | { kind: "number"; value: number; offset: number }
  | { kind: "regex"; source: string; ignoreCase: boolean; offset: number }
  | { kind: "name"; value: string; offset: number }
  | { kind: "symbol"; value: string; offset: number }
  | { kind: "end"; offset: number };

export class ConditionError extends Error {
  readonly offset: number;
  readonly fix: string | undefined;
  constructor(message: string, offset: number, fix?: string) {
    super(message);
    this.offset = offset;
    this.fix = fix;
  }
}

const patterns: [RegExp, (match: RegExpExecArray, offset: number) => Token | undefined][] = [
  [/\s+/y, () => undefined],
  [/\/\/[^\n]*/y, () => undefined],
  [
    /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/sy,
    ([, double, single], offset) => ({ kind: "text", value: unescape(double ?? single ?? ""), offset }),
  ],
  [
    /\/((?:[^/\\\n]|\\.)+)\/([A-Za-z]*)/y,
    ([, source = "", flags = ""], offset) => ({
      kind: "regex",
      source: source.replaceAll("\\/", "/"),
      ignoreCase: readFlags(flags, offset).includes("i"),
      offset,
    }),
  ],
  [/\d+(?:\.\d+)?/y, ([digits], offset) => ({ kind: "number", value: Number(digits), offset })],
  [/[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/y, ([name], offset) => ({ kind: "name", value: name, offset })],
  [/==|!=|=~|!~|&&|\|\||[!(),]/y, ([symbol], offset) => ({ kind: "symbol", value: symbol, offset })],
];

/** Throws `ConditionError` at the first character that starts no word. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const found = nextToken(text, at);
    if (!found) throw new ConditionError(`\`${text.slice(at, at + 1)}\` is not understood`, at, hint(text.slice(at)));
    if (found.token) tokens.push(found.token);
    at = found.end;
  }
  return [...tokens, { kind: "end", offset: text.length }];
}

function nextToken(text: string, at: number): { token: Token | undefined; end: number } | undefined {
  for (const [pattern, make] of patterns) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return { token: make(match, at), end: at + match[0].length };
  }
  return undefined;
}

/** `g` and `u` change nothing about whether something is found. */
function readFlags(flags: string, offset: number): string {
  const strange = /[^igu]/.exec(flags)?.[0];
  if (strange !== undefined)
    throw new ConditionError(
      `the flag \`${strange}\` of a regular expression is not supported`,
      offset,
      "use `i` or none",
    );
  return flags;
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/gs, "$1");
}

function hint(rest: string): string | undefined {
  if (rest.startsWith("=")) return "compare with `==`";
  if (rest.startsWith("&")) return "write `&&`";
  if (rest.startsWith("|")) return "write `||`";
  return /^["']/.test(rest) ? "close the quote" : undefined;
}
