/** Lines of a log by their numbers, from any place of it at the same speed. */
import type { FileHandle } from "node:fs/promises";
import { lineCount, type LogMark } from "../core/log-scan.ts";
import { openToRead, readFrom } from "./log-file.ts";
import { findMark, type OpenLog, readMarks } from "./log-index.ts";

export interface LogLine {
  number: number;
  /** Byte at which it begins. */
  offset: number;
  /** When it began, as an ISO time; null where that is not known. */
  at: string | null;
  text: string;
  /** The line goes on; its bytes can be read from `offset`. */
  cut: boolean;
}

const newline = 10;
const pieceBytes = 64 * 1024;
const longestLine = 16 * 1024;
/** Text of one answer. */
const mostBytes = 1024 * 1024;

/** Up to `limit` lines from `from` on, fewer where they are long; lines that the log has not (yet) are left out. */
export async function readLines(log: OpenLog, { from, limit }: { from: number; limit: number }): Promise<LogLine[]> {
  const found = await findMark(log, "line", from);
  const file = await openToRead(log.paths.bytes);
  if (!file) return [];
  try {
    // A line that spans marks has none of its own, so there are at most as many marks as lines.
    const marks = await readMarks(log, Math.max(0, found), limit + 1);
    return await collect({ log, file, marks }, { from, limit });
  } finally {
    await file.close();
  }
}

interface Reading {
  log: OpenLog;
  file: FileHandle;
  marks: LogMark[];
}

async function collect(reading: Reading, { from, limit }: { from: number; limit: number }): Promise<LogLine[]> {
  const { log, marks } = reading;
  const lines: LogLine[] = [];
  const last = Math.min(from + limit - 1, lineCount(log.scan));
  let mark = 0;
  let taken = 0;
  for await (const { number, offset, bytes } of walkLines(reading)) {
    if (number > last || taken >= mostBytes) break;
    while ((marks[mark + 1]?.line ?? Infinity) <= number) mark++;
    if (number < from) continue;
    const text = bytes.toString("utf8", 0, longestLine);
    lines.push({ number, offset, at: timeOf(marks[mark]), text, cut: bytes.length > longestLine });
    taken += text.length;
  }
  return lines;
}

/** The lines from the first mark on, each as far as it is within a piece. */
async function* walkLines(reading: Reading): AsyncIterable<{ number: number; offset: number; bytes: Buffer }> {
  const { log, marks } = reading;
  let { line: number, offset } = marks[0] ?? { line: 1, offset: 0 };
  let begin = offset;
  let piece = await readPiece(reading, begin);
  while (offset < log.size) {
    let end = piece.indexOf(newline, offset - begin);
    if (end === -1 && begin !== offset) {
      begin = offset;
      piece = await readPiece(reading, begin);
      end = piece.indexOf(newline);
    }
    yield { number, offset, bytes: piece.subarray(offset - begin, end === -1 ? piece.length : end) };
    const next = end === -1 ? await beginOf(reading, number + 1) : begin + end + 1;
    if (next === undefined) return;
    offset = next;
    number++;
  }
}

/** A line behind one that is longer than a piece has a mark of its own. */
async function beginOf({ log }: Reading, line: number): Promise<number | undefined> {
  const [mark] = await readMarks(log, await findMark(log, "line", line), 1);
  return mark?.line === line ? mark.offset : undefined;
}

async function readPiece({ log, file }: Reading, offset: number): Promise<Buffer> {
  return readFrom(file, offset, Math.min(pieceBytes, log.size - offset));
}

function timeOf(mark: LogMark | undefined): string | null {
  return mark && mark.at > 0 ? new Date(mark.at).toISOString() : null;
}
