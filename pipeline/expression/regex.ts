/**
 * A matcher that takes time in proportion to pattern × text, whatever the pattern: JavaScript's own goes back and forth,
 * and `(a+)+$` on thirty letters would stop the server.
 */
import { isWordChar, parseRegex, RegexError, type RegexNode } from "./regex-parse.ts";

type Instruction =
  | { op: "char"; accepts: (char: string) => boolean }
  | { op: "assert"; at: "start" | "end" | "word-edge" | "no-word-edge" }
  | { op: "split"; targets: number[] }
  | { op: "match" };

/** Instructions that may still be visited; below zero an answer of "no" means nothing. */
export interface Fuel {
  left: number;
}

export interface Regex {
  /** True when the pattern is found anywhere; texts beyond 10,000 characters are cut. */
  test: (text: string, fuel?: Fuel) => boolean;
  /** Instructions, each of which may be visited once for each character. */
  size: number;
}

const maximumPattern = 500;
const maximumProgram = 5000;
const maximumText = 10_000;

/** The regular expression, or why it is none. */
export function compileRegex(source: string, ignoreCase = false): { regex: Regex } | { problem: string } {
  if (source.length > maximumPattern) return { problem: `the pattern is longer than ${maximumPattern} characters` };
  try {
    return { regex: compileNode(parseRegex(source, ignoreCase)) };
  } catch (error) {
    if (error instanceof RegexError) return { problem: error.message };
    throw error;
  }
}

/** Throws `RegexError` where the program would be too large. */
export function compileNode(node: RegexNode): Regex {
  const program: Instruction[] = [];
  emit(program, node);
  program.push({ op: "match" });
  return {
    test: (text, fuel = { left: Infinity }) => run(program, Array.from(text.slice(0, maximumText)), fuel),
    size: program.length,
  };
}

function emit(program: Instruction[], node: RegexNode): void {
  if (program.length > maximumProgram) throw new RegexError("the pattern has too many repetitions");
  if (node.kind === "char") program.push({ op: "char", accepts: node.accepts });
  else if (node.kind === "assert") program.push({ op: "assert", at: node.at });
  else if (node.kind === "sequence") for (const part of node.parts) emit(program, part);
  else if (node.kind === "choice") emitChoice(program, node.options);
  else emitRepeat(program, node);
}

function emitChoice(program: Instruction[], options: readonly RegexNode[]): void {
  const split = { op: "split" as const, targets: [] as number[] };
  const ends: { op: "split"; targets: number[] }[] = [];
  program.push(split);
  for (const option of options) {
    split.targets.push(program.length);
    emit(program, option);
    const end = { op: "split" as const, targets: [] };
    ends.push(end);
    program.push(end);
  }
  for (const end of ends) end.targets.push(program.length);
}

function emitRepeat(program: Instruction[], { node, min, max }: RegexNode & { kind: "repeat" }): void {
  for (let count = 0; count < min; count++) emit(program, node);
  if (max === Infinity) {
    const start = program.length;
    const split = { op: "split" as const, targets: [start + 1] };
    program.push(split);
    emit(program, node);
    program.push({ op: "split", targets: [start] });
    split.targets.push(program.length);
    return;
  }
  const exits: { op: "split"; targets: number[] }[] = [];
  for (let count = min; count < max; count++) {
    const exit = { op: "split" as const, targets: [program.length + 1] };
    exits.push(exit);
    program.push(exit);
    emit(program, node);
  }
  for (const exit of exits) exit.targets.push(program.length);
}

/** Threads of the program that are alive, and which instructions this position has seen already. */
interface Run {
  program: readonly Instruction[];
  text: readonly string[];
  seen: Int32Array;
  visits: number;
}

function run(program: readonly Instruction[], text: readonly string[], fuel: Fuel): boolean {
  const first = program[0];
  const isAnchored = first?.op === "assert" && first.at === "start";
  const state: Run = { program, text, seen: new Int32Array(program.length).fill(-1), visits: 0 };
  let threads: number[] = [];
  for (let at = 0; at <= text.length; at++) {
    const starts = at === 0 || !isAnchored ? [...threads, 0] : threads;
    const active = close(state, starts, at);
    if (active === "match") return true;
    const char = text[at];
    if (char === undefined || (isAnchored && active.length === 0)) break;
    if (state.visits > fuel.left) break;
    threads = [];
    for (const index of active) if (accepts(program[index], char)) threads.push(index + 1);
  }
  fuel.left -= state.visits;
  return false;
}

function accepts(instruction: Instruction | undefined, char: string): boolean {
  return instruction?.op === "char" && instruction.accepts(char);
}

/** Follows splits and assertions until only characters are left, or the end of the program; each instruction at most once. */
function close(state: Run, starts: readonly number[], at: number): number[] | "match" {
  const { program, seen, text } = state;
  const active: number[] = [];
  const stack = starts.toReversed();
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    if (seen[index] === at) continue;
    seen[index] = at;
    state.visits++;
    const instruction = program[index];
    if (instruction?.op === "match") return "match";
    if (instruction?.op === "char") active.push(index);
    else if (instruction?.op === "split") stack.push(...instruction.targets);
    else if (instruction && holds(instruction.at, { text, at })) stack.push(index + 1);
  }
  return active;
}

interface Position {
  text: readonly string[];
  at: number;
}

function holds(at: (Instruction & { op: "assert" })["at"], { text, at: index }: Position): boolean {
  if (at === "start") return index === 0;
  // A final line break is no content, as in every other engine.
  if (at === "end") return index === text.length || (index === text.length - 1 && text[index] === "\n");
  return (isWordChar(text[index - 1]) !== isWordChar(text[index])) === (at === "word-edge");
}
