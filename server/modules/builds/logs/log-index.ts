/**
 * The index of a log, written as its bytes come: `.marks`, records of 24 bytes (byte, line, time), and `.groups`, one line of
 * JSON each. Bytes are written first, then groups, then marks: so after a crash all groups before the last mark are there,
 * and the rest is found again by reading on from that mark.
 */
import { readFile } from "node:fs/promises";
import type { GroupFact, LogMark, PieceTimes, Scan } from "../core/log-scan.ts";
import { scanPiece, startScan } from "../core/log-scan.ts";
import { cutFile, type LogPaths, openToRead, readFrom, sizeOf, writeAt } from "./log-file.ts";

/** A log as it stands: one writer at a time. */
export interface OpenLog {
  paths: LogPaths;
  /** Bytes of the log. */
  size: number;
  scan: Scan;
  marks: number;
  /** Bytes of the file of groups, and how many lines it has. */
  groupBytes: number;
  groups: number;
}

const markBytes = 24;
const pieceBytes = 1024 * 1024;
/** A log with more headings than this shows the first ones. */
export const mostGroups = 10_000;

/** Reads where a log stands, and makes its index anew from the last mark that can be trusted. */
export async function openLog(paths: LogPaths): Promise<OpenLog> {
  const size = await sizeOf(paths.bytes);
  const { marks, last } = await soundMarks(paths.marks, size);
  const groups = await soundGroups(paths.groups, last?.offset ?? 0);
  await cutFile(paths.marks, marks * markBytes);
  await cutFile(paths.groups, groups.groupBytes);
  const log: OpenLog = { paths, size: last?.offset ?? 0, scan: startScan(last), marks, ...groups };
  const file = await openToRead(paths.bytes);
  try {
    while (file && log.size < size) {
      const piece = await readFrom(file, log.size, pieceBytes);
      if (piece.length === 0) break;
      await extendIndex(log, piece, [[0, last?.at ?? 0]]);
    }
  } finally {
    await file?.close();
  }
  return log;
}

/** Writes the bytes at the log's end and what they add to the index. */
export async function extendLog(log: OpenLog, bytes: Buffer, times: PieceTimes): Promise<void> {
  await writeAt(log.paths.bytes, bytes, log.size);
  await extendIndex(log, bytes, times);
}

async function extendIndex(log: OpenLog, bytes: Buffer, times: PieceTimes): Promise<void> {
  const found = scanPiece(log.scan, bytes, times);
  log.size += bytes.length;
  const fresh = found.groups.slice(0, mostGroups - log.groups);
  if (fresh.length > 0) {
    const lines = Buffer.from(fresh.map((fact) => `${JSON.stringify(fact)}\n`).join(""));
    await writeAt(log.paths.groups, lines, log.groupBytes);
    log.groupBytes += lines.length;
    log.groups += fresh.length;
  }
  if (found.marks.length === 0) return;
  await writeAt(log.paths.marks, packMarks(found.marks), log.marks * markBytes);
  log.marks += found.marks.length;
}

function packMarks(marks: readonly LogMark[]): Buffer {
  const packed = Buffer.alloc(marks.length * markBytes);
  for (const [index, { offset, line, at }] of marks.entries())
    for (const [column, value] of [offset, line, at].entries())
      packed.writeDoubleLE(value, index * markBytes + column * 8);
  return packed;
}

function unpackMarks(packed: Buffer): LogMark[] {
  return Array.from({ length: Math.floor(packed.length / markBytes) }, (_, index) => {
    const [offset = 0, line = 0, at = 0] = [0, 8, 16].map((column) => packed.readDoubleLE(index * markBytes + column));
    return { offset, line, at };
  });
}

/** Marks `from` (counted from 0) up to `count` of them. */
export async function readMarks({ paths }: OpenLog, from: number, count: number): Promise<LogMark[]> {
  const file = await openToRead(paths.marks);
  if (!file) return [];
  try {
    return unpackMarks(await readFrom(file, from * markBytes, count * markBytes));
  } finally {
    await file.close();
  }
}

/** Number of the last mark that is not behind what is looked for; -1 where there is none. */
export async function findMark({ paths, marks }: OpenLog, by: "offset" | "line", value: number): Promise<number> {
  const file = await openToRead(paths.marks);
  if (!file) return -1;
  try {
    let [low, high] = [-1, marks - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const [mark] = unpackMarks(await readFrom(file, middle * markBytes, markBytes));
      if (mark && mark[by] <= value) low = middle;
      else high = middle - 1;
    }
    return low;
  } finally {
    await file.close();
  }
}

/** How many marks can be trusted: whole ones, before the end of the log. */
async function soundMarks(path: string, size: number): Promise<{ marks: number; last: LogMark | undefined }> {
  const file = await openToRead(path);
  if (!file) return { marks: 0, last: undefined };
  try {
    for (let marks = Math.floor((await file.stat()).size / markBytes); marks > 0; marks--) {
      const [last] = unpackMarks(await readFrom(file, (marks - 1) * markBytes, markBytes));
      if (last && last.offset < size && last.line > 0) return { marks, last };
    }
    return { marks: 0, last: undefined };
  } finally {
    await file.close();
  }
}

/** Those before the last mark; the rest is found again. */
async function soundGroups(path: string, before: number): Promise<Pick<OpenLog, "groups" | "groupBytes">> {
  const facts = (await readGroupFacts(path)).filter(({ fact }) => fact.offset < before);
  return { groups: facts.length, groupBytes: facts.at(-1)?.end ?? 0 };
}

/** The facts that were written whole, each with the byte of the file at which it ends. */
export async function readGroupFacts(path: string): Promise<{ fact: GroupFact; end: number }[]> {
  const text = await readFile(path).catch(() => Buffer.alloc(0));
  const facts: { fact: GroupFact; end: number }[] = [];
  let from = 0;
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
    const fact = parseFact(text.toString("utf8", from, end));
    if (!fact) break;
    from = end + 1;
    facts.push({ fact, end: from });
  }
  return facts;
}

function parseFact(line: string): GroupFact | undefined {
  try {
    return JSON.parse(line) as GroupFact;
  } catch {
    return undefined;
  }
}
