/**
 * What a log's index holds, found while its bytes go by: a mark (byte, line, time) every so often, and the headings of its
 * groups as Buildkite writes them. All of it but the times can be found again from the bytes.
 */

/** The line that begins at byte `offset`, and when it did (milliseconds since 1970). Lines count from 1. */
export interface LogMark {
  offset: number;
  line: number;
  at: number;
}

export interface LogGroup extends LogMark {
  kind: "---" | "+++" | "~~~";
  title: string;
}

/** `open`: the group before it is to be shown open, as `^^^ +++` says. */
export type GroupFact = LogGroup | { open: true; offset: number };

export interface Scan {
  /** Bytes seen. */
  offset: number;
  /** The line of the next byte. */
  line: number;
  /** Of that line, as far as it was seen; only while it may become a heading. */
  head: Buffer | undefined;
  /** Where and when that line began; undefined when nothing of it was seen. */
  begin: LogMark | undefined;
  last: LogMark | undefined;
}

/** Pairs of a byte of the piece and the time at which it came, in order. */
export type PieceTimes = readonly (readonly [byte: number, ms: number])[];

export interface Found {
  marks: LogMark[];
  groups: GroupFact[];
}

/** Between two marks lie fewer bytes than this, up to the end of the line that passes it. */
export const markBytes = 32 * 1024;
/** Lines whose times differ by less share a mark. */
const markMs = 100;
/** Bytes of a heading that are kept. */
const headBytes = 300;
const longestTitle = 200;
const newline = 10;
const headingStarts = new Set<number>(Buffer.from("-+~^"));

export function startScan(from?: LogMark): Scan {
  return { offset: from?.offset ?? 0, line: from?.line ?? 1, head: undefined, begin: undefined, last: from };
}

/** Goes on with the next bytes of the log; changes `scan`. */
export function scanPiece(scan: Scan, bytes: Buffer, times: PieceTimes): Found {
  const found: Found = { marks: [], groups: [] };
  let time = 0;
  for (let at = 0; at < bytes.length;) {
    while ((times[time + 1]?.[0] ?? Infinity) <= at) time++;
    if (!scan.begin) beginLine(scan, { offset: scan.offset + at, line: scan.line, at: times[time]?.[1] ?? 0 }, found);
    const end = bytes.indexOf(newline, at);
    const stop = end === -1 ? bytes.length : end;
    if (scan.head || (scan.begin?.offset === scan.offset + at && headingStarts.has(bytes[at] ?? 0)))
      growHead(scan, bytes.subarray(at, stop));
    if (end !== -1) endLine(scan, found);
    at = stop + 1;
  }
  scan.offset += bytes.length;
  return found;
}

function beginLine(scan: Scan, begin: LogMark, found: Found): void {
  // A clock that is set back must not make a later line older.
  begin.at = Math.max(begin.at, scan.last?.at ?? 0);
  scan.begin = begin;
  const { last } = scan;
  if (last && begin.offset - last.offset < markBytes && begin.at - last.at < markMs) return;
  scan.last = begin;
  found.marks.push(begin);
}

function growHead(scan: Scan, bytes: Buffer): void {
  const before = scan.head ?? Buffer.alloc(0);
  scan.head = Buffer.concat([before, bytes.subarray(0, headBytes - before.length)]);
}

function endLine(scan: Scan, { groups }: Found): void {
  const fact = scan.head && scan.begin ? factOf(scan.head.toString("utf8"), scan.begin) : undefined;
  if (fact) groups.push(fact);
  scan.head = undefined;
  scan.begin = undefined;
  scan.line++;
}

function factOf(text: string, begin: LogMark): GroupFact | undefined {
  if (/^\^\^\^ \+\+\+\s*$/.test(text)) return { open: true, offset: begin.offset };
  const [, kind, rest = ""] = /^(---|\+\+\+|~~~)(?: (.*))?$/s.exec(text) ?? [];
  if (!kind) return undefined;
  return { ...begin, kind: kind as LogGroup["kind"], title: plain(rest).trim().slice(0, longestTitle) };
}

/** Without colours and other control characters. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is to go
  return text.replaceAll(/\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007?|[\u0000-\u001f\u007f]/g, "");
}

/** The number of lines of a log that was scanned to its end; one that has begun counts. */
export function lineCount({ line, begin }: Scan): number {
  return begin ? line : line - 1;
}
