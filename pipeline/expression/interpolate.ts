/** `$VAR` and `${VAR…}` in texts of a pipeline file, as Buildkite's agent reads them. */

export type Interpolated = { text: string; unset: string[] } | { problem: string };

const maximumDepth = 20;
const maximumLength = 1024 * 1024;

class InterpolationError extends Error {}

interface Reader {
  text: string;
  at: number;
  variables: Readonly<Record<string, string>>;
  unset: Set<string>;
}

/**
 * `$NAME`, `${NAME}`, `${NAME:-default}` (also when empty), `${NAME-default}`, `${NAME:?message}`, `${NAME?message}`,
 * `${NAME:offset}`, `${NAME:offset:length}`, `${NAME%end}`, `${NAME#start}` and their long forms `%%` and `##`; `$$` and `\$`
 * stand for one dollar; any other dollar stays. A variable that is not known becomes empty and is listed in `unset`.
 */
export function interpolate(text: string, variables: Readonly<Record<string, string>>): Interpolated {
  if (!text.includes("$")) return { text, unset: [] };
  const reader: Reader = { text, at: 0, variables, unset: new Set() };
  try {
    return { text: readText(reader, 0), unset: [...reader.unset] };
  } catch (error) {
    if (error instanceof InterpolationError) return { problem: error.message };
    throw error;
  }
}

/** Up to the end, or inside braces up to the brace that closes. */
function readText(reader: Reader, depth: number): string {
  if (depth > maximumDepth) throw new InterpolationError(`\`\${\` is nested deeper than ${maximumDepth}`);
  let result = "";
  while (reader.at < reader.text.length) {
    const rest = reader.text[reader.at];
    if (depth > 0 && rest === "}") break;
    result += rest === "$" || rest === "\\" ? readSpecial(reader, depth) : readPlain(reader, depth);
    if (result.length > maximumLength) throw new InterpolationError("the text grows beyond 1 MiB");
  }
  return result;
}

function readPlain(reader: Reader, depth: number): string {
  const pattern = depth > 0 ? /[^$\\}]+/y : /[^$\\]+/y;
  pattern.lastIndex = reader.at;
  const plain = pattern.exec(reader.text)?.[0] ?? "";
  reader.at += plain.length;
  return plain;
}

function readSpecial(reader: Reader, depth: number): string {
  const pair = reader.text.slice(reader.at, reader.at + 2);
  if (pair === "$$" || pair === "\\$") {
    reader.at += 2;
    return "$";
  }
  if (pair === "\\\\") {
    reader.at += 2;
    return pair;
  }
  if (pair === "${") return readBraces(reader, depth);
  reader.at++;
  const name = pair.startsWith("$") ? readName(reader) : undefined;
  return name === undefined ? pair.slice(0, 1) : valueOf(reader, name);
}

function readName(reader: Reader): string | undefined {
  const pattern = /[A-Za-z_][A-Za-z0-9_]*/y;
  pattern.lastIndex = reader.at;
  const name = pattern.exec(reader.text)?.[0];
  reader.at += name?.length ?? 0;
  return name;
}

function lookUp({ variables }: Reader, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

function valueOf(reader: Reader, name: string): string {
  const value = lookUp(reader, name);
  if (value === undefined) reader.unset.add(name);
  return value ?? "";
}

function readBraces(reader: Reader, depth: number): string {
  reader.at += 2;
  const name = readName(reader);
  if (name === undefined)
    throw new InterpolationError("the name of a variable is missing after `${`; write `$${` for the text itself");
  const [operator = ""] =
    /^(:-|:\?|-|\?|%%?|##?|:(?=\s*-?\d))?/.exec(reader.text.slice(reader.at, reader.at + 20)) ?? [];
  reader.at += operator.length;
  const argument = operator ? readArgument(reader, depth) : "";
  if (reader.text[reader.at] !== "}") throw new InterpolationError(`\`\${${name}\` is not closed with \`}\``);
  reader.at++;
  return expand(reader, { name, operator, argument });
}

/** What is unset inside a default is no fault of its own. */
function readArgument(reader: Reader, depth: number): string {
  const { unset } = reader;
  reader.unset = new Set();
  const argument = readText(reader, depth + 1);
  reader.unset = unset;
  return argument;
}

function expand(
  reader: Reader,
  { name, operator, argument }: { name: string; operator: string; argument: string },
): string {
  const value = lookUp(reader, name);
  const isMissing = value === undefined || (operator.startsWith(":") && value === "");
  if (operator.endsWith("-")) return isMissing ? argument : value;
  if (operator.endsWith("?")) {
    if (isMissing) throw new InterpolationError(`\`${name}\` must be set${argument ? `: ${argument}` : ""}`);
    return value;
  }
  const known = valueOf(reader, name);
  if (operator === ":") return cut(known, argument);
  return operator === "" ? known : removePart(known, operator, argument);
}

/** Negative numbers count from the end, as in a shell. */
function cut(value: string, argument: string): string {
  const [text, from = "0", length] = /^\s*(-?\d{1,6})\s*(?::\s*(-?\d{1,6})\s*)?$/.exec(argument) ?? [];
  if (text === undefined)
    throw new InterpolationError(`\`:${argument.slice(0, 60)}\` is no offset and length, such as \`:0:7\``);
  const start = Number(from) < 0 ? Math.max(0, value.length + Number(from)) : Number(from);
  if (length === undefined) return value.slice(start);
  const end = Number(length) < 0 ? value.length + Number(length) : start + Number(length);
  return value.slice(start, Math.max(start, end));
}

const maximumRemoval = 10_000;

/** `%` and `#` take the shortest end or start that fits away, `%%` and `##` the longest. */
function removePart(value: string, operator: string, pattern: string): string {
  const [before = "", after, ...more] = pattern.split("*");
  if (more.length > 0 || /[?[\\]/.test(pattern))
    throw new InterpolationError(
      `\`${operator}${pattern.slice(0, 60)}\` may have one \`*\`, and no other special character`,
    );
  if (value.length > maximumRemoval)
    throw new InterpolationError(`\`${operator}\` takes values of at most ${maximumRemoval} characters`);
  const isLong = operator.length === 2;
  return operator.startsWith("%")
    ? removeEnd(value, { before, after, isLong })
    : removeStart(value, { before, after, isLong });
}

interface Removal {
  before: string;
  /** Undefined where the pattern has no `*`. */
  after: string | undefined;
  isLong: boolean;
}

function removeEnd(value: string, { before, after, isLong }: Removal): string {
  if (after === undefined) return value.endsWith(before) ? value.slice(0, value.length - before.length) : value;
  const last = value.length - after.length - before.length;
  if (!value.endsWith(after) || last < 0) return value;
  const at = isLong ? value.indexOf(before) : value.lastIndexOf(before, last);
  return at < 0 || at > last ? value : value.slice(0, at);
}

function removeStart(value: string, { before, after, isLong }: Removal): string {
  if (!value.startsWith(before)) return value;
  if (after === undefined) return value.slice(before.length);
  const at = isLong ? value.lastIndexOf(after) : value.indexOf(after, before.length);
  return at < before.length ? value : value.slice(at + after.length);
}
