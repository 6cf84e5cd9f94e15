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
 * `${NAME:offset}`, `${NAME:offset:length}`; `$$` and `\$` stand for one dollar; any other dollar stays. A variable that is
 * not known becomes empty and is listed in `unset`.
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
  const [operator = ""] = /^(:-|:\?|-|\?|:(?=\s*-?\d))?/.exec(reader.text.slice(reader.at, reader.at + 20)) ?? [];
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
  if (operator === ":") return cut(valueOf(reader, name), argument);
  return valueOf(reader, name);
}

function cut(value: string, argument: string): string {
  const [, from = "0", length] = /^\s*(-?\d{1,6})(?::(\d{1,6}))?$/.exec(argument) ?? [];
  const start = Number(from) < 0 ? Math.max(0, value.length + Number(from)) : Number(from);
  return value.slice(start, length === undefined ? undefined : start + Number(length));
}
