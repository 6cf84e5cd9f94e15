/**
 * One search through one log, on a thread of its own: a pattern can take for ever, and whoever started it ends it then.
 * Reads piece after piece, whole lines each, until it has enough, its time is over, or the log ends.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { finder, findInText, type LogMatch, type LogQuery } from "../core/find-in-log.ts";

export interface SearchTask extends LogQuery {
  path: string;
  /** The line at which the search begins, and its byte. */
  from: { line: number; offset: number };
  /** Byte at which it ends. */
  size: number;
  limit: number;
  budgetMs: number;
}

export interface SearchFinds {
  matches: LogMatch[];
  /** Where the search goes on; null at the end of the log. */
  next: number | null;
}

const pieceBytes = 1024 * 1024;
/** A line that is longer than a piece is searched in pieces that share this many bytes. */
const sharedBytes = 8 * 1024;
const newline = 10;

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(search(workerData as SearchTask));

function search(task: SearchTask): SearchFinds {
  const deadline = performance.now() + task.budgetMs;
  const find = finder(task);
  const file = openSync(task.path, "r");
  const matches: LogMatch[] = [];
  try {
    for (const { line, bytes, next } of pieces(file, task)) {
      for (const match of findInText(find, bytes.toString("utf8"), { line, regex: task.regex })) {
        if (matches.at(-1)?.line === match.line) continue;
        matches.push(match);
        if (matches.length === task.limit) return { matches, next: match.line + 1 };
      }
      if (performance.now() > deadline && next > task.from.line) return { matches, next };
    }
    return { matches, next: null };
  } finally {
    closeSync(file);
  }
}

/** `next`: the line with which the piece behind begins. */
function* pieces(file: number, { from, size }: SearchTask): Generator<{ line: number; bytes: Buffer; next: number }> {
  let { line, offset } = from;
  while (offset < size) {
    const read = Buffer.allocUnsafe(Math.min(pieceBytes, size - offset));
    const bytes = read.subarray(0, readSync(file, read, 0, read.length, offset));
    if (bytes.length === 0) return;
    const isLast = offset + bytes.length >= size;
    const end = isLast ? bytes.length : bytes.lastIndexOf(newline) + 1;
    const whole = end === 0 ? bytes : bytes.subarray(0, end);
    const next = line + countLines(whole);
    yield { line, bytes: whole, next };
    line = next;
    offset += end === 0 ? Math.max(1, bytes.length - sharedBytes) : whole.length;
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) lines++;
  return lines;
}
