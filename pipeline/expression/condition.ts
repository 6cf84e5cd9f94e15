/** The expression after `if`: parsed once, evaluated for each build. */
import { suggestion } from "../text/shape.ts";
import { compileRegex, type Regex } from "./regex.ts";
import { type Scope, type ScopeValue, scopeNames } from "./scope.ts";
import { ConditionError, type Token, tokenize } from "./tokens.ts";

/** A checked expression: gives true or false in every scope. */
export type Condition = (scope: Scope) => boolean;

export interface ConditionProblem {
  message: string;
  /** In characters from the start of the expression. */
  offset: number;
  fix?: string;
}

const maximumLength = 2000;
const maximumDepth = 50;

/** Names and regular expressions are checked here, so that evaluation cannot fail. `size`: how much it may cost. */
export function parseCondition(
  text: string,
  names: readonly string[] = scopeNames,
): { condition: Condition; size: number } | { problem: ConditionProblem } {
  if (text.length > maximumLength)
    return { problem: { message: `the expression is longer than ${maximumLength} characters`, offset: 0 } };
  try {
    const reader: Reader = { tokens: tokenize(text), at: 0, depth: 0, names, size: 0 };
    const value = readEither(reader);
    const rest = peek(reader);
    if (rest.kind !== "end") throw unexpected(rest);
    return { condition: (scope) => isTrue(value(scope)), size: reader.size };
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    const { message, offset, fix } = error;
    return { problem: { message, offset, ...(fix === undefined ? {} : { fix }) } };
  }
}

type Expression = (scope: Scope) => ScopeValue;

interface Reader {
  tokens: Token[];
  at: number;
  depth: number;
  names: readonly string[];
  /** Of all regular expressions together. */
  size: number;
}

function peek(reader: Reader): Token {
  return reader.tokens[reader.at] ?? { kind: "end", offset: 0 };
}

function takeSymbol(reader: Reader, ...symbols: string[]): string | undefined {
  const token = peek(reader);
  if (token.kind !== "symbol" || !symbols.includes(token.value)) return undefined;
  reader.at++;
  return token.value;
}

function takeName(reader: Reader, name: string): boolean {
  const token = peek(reader);
  if (token.kind !== "name" || token.value !== name) return false;
  reader.at++;
  return true;
}

function expectSymbol(reader: Reader, symbol: string): void {
  if (!takeSymbol(reader, symbol)) throw new ConditionError(`\`${symbol}\` is missing`, peek(reader).offset);
}

function unexpected(token: Token): ConditionError {
  if (token.kind === "end") return new ConditionError("the expression ends too early", token.offset);
  const shown = token.kind === "regex" ? "a regular expression" : `\`${String(token.value)}\``;
  return new ConditionError(`${shown} is not expected here`, token.offset);
}

function isTrue(value: ScopeValue): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== null && value !== false && value !== "";
}

function readEither(reader: Reader): Expression {
  if (++reader.depth > maximumDepth)
    throw new ConditionError(`parentheses are nested deeper than ${maximumDepth}`, peek(reader).offset);
  const parts = [readBoth(reader)];
  while (takeSymbol(reader, "||")) parts.push(readBoth(reader));
  reader.depth--;
  return parts.length === 1 && parts[0] ? parts[0] : (scope) => parts.some((part) => isTrue(part(scope)));
}

function readBoth(reader: Reader): Expression {
  const parts = [readComparison(reader)];
  while (takeSymbol(reader, "&&")) parts.push(readComparison(reader));
  return parts.length === 1 && parts[0] ? parts[0] : (scope) => parts.every((part) => isTrue(part(scope)));
}

function readComparison(reader: Reader): Expression {
  const left = readUnary(reader);
  if (takeName(reader, "includes")) {
    const member = readUnary(reader);
    return (scope) => includes(left(scope), member(scope));
  }
  const operator = takeSymbol(reader, "==", "!=", "=~", "!~");
  if (!operator) return left;
  if (operator === "==" || operator === "!=") {
    const right = readUnary(reader);
    return (scope) => isEqual(left(scope), right(scope)) === (operator === "==");
  }
  const regex = readRegex(reader);
  return (scope) => matches(regex, left(scope)) === (operator === "=~");
}

/** Numbers equal their text, as a pull request's number may be written either way; null equals only null. */
function isEqual(left: ScopeValue, right: ScopeValue): boolean {
  if (left === null || right === null) return left === right;
  return wordsOf(left).some((word) => wordsOf(right).includes(word));
}

/** All texts that a value equals; a list equals none. */
function wordsOf(value: NonNullable<ScopeValue>): readonly string[] {
  if (typeof value !== "object") return [String(value)];
  return "anyOf" in value ? value.anyOf : [];
}

function matches(regex: Regex, value: ScopeValue): boolean {
  return value !== null && wordsOf(value).some((word) => regex.test(word));
}

function includes(list: ScopeValue, member: ScopeValue): boolean {
  if (!Array.isArray(list) || member === null) return false;
  return wordsOf(member).some((word) => (list as readonly string[]).includes(word));
}

function readRegex(reader: Reader): Regex {
  const token = peek(reader);
  if (token.kind !== "regex") throw new ConditionError("a regular expression such as /^v1/ is missing", token.offset);
  reader.at++;
  const compiled = compileRegex(token.source, token.ignoreCase);
  if ("problem" in compiled)
    throw new ConditionError(`the regular expression is not valid: ${compiled.problem}`, token.offset);
  reader.size += compiled.regex.size;
  return compiled.regex;
}

function readUnary(reader: Reader): Expression {
  let negations = 0;
  while (takeSymbol(reader, "!")) negations++;
  const value = readValue(reader);
  if (negations === 0) return value;
  return (scope) => isTrue(value(scope)) === (negations % 2 === 0);
}

function readValue(reader: Reader): Expression {
  if (takeSymbol(reader, "(")) {
    const inner = readEither(reader);
    expectSymbol(reader, ")");
    return inner;
  }
  const token = peek(reader);
  reader.at++;
  if (token.kind === "text" || token.kind === "number") return () => token.value;
  if (token.kind === "name") return readName(reader, token);
  throw unexpected(token);
}

const literals: Record<string, ScopeValue> = { true: true, false: false, null: null };

function readName(reader: Reader, { value: name, offset }: Token & { kind: "name" }): Expression {
  if (Object.hasOwn(literals, name)) return () => literals[name] ?? null;
  if (takeSymbol(reader, "(")) return readCall(reader, name, offset);
  if (!reader.names.includes(name))
    throw new ConditionError(`\`${name}\` is not known`, offset, suggestion(name, reader.names));
  return (scope) => scope.values[name as (typeof scopeNames)[number]] ?? null;
}

function readCall(reader: Reader, name: string, offset: number): Expression {
  if (name !== "build.env" && name !== "env")
    throw new ConditionError(`the function \`${name}\` is not known`, offset, suggestion(name, ["build.env", "env"]));
  const argument = peek(reader);
  if (argument.kind !== "text")
    throw new ConditionError('the name of a variable is missing, such as "CI"', argument.offset);
  reader.at++;
  expectSymbol(reader, ")");
  return (scope) => (Object.hasOwn(scope.env, argument.value) ? (scope.env[argument.value] ?? null) : null);
}
