/**
 * Logs of attempts. The file is the truth of how far a log has come, so a part that is sent again after a crash is taken only
 * as far as it is new, and no part costs a write of the database; the row says whether more may come.
 */
import { statfs } from "node:fs/promises";
import { refuse, type Refusal } from "#api/errors.ts";
import { withinLimit } from "../core/log-limit.ts";
import { lineCount, type LogGroup, type PieceTimes } from "../core/log-scan.ts";
import { wholeCharacters } from "../core/log-text.ts";
import type { LogRow } from "../core/rows.ts";
import { type Bell, createBell } from "./bell.ts";
import { type LogKey, logPaths, readAt, sizeOf, syncFile } from "./log-file.ts";
import { extendLog, type OpenLog, readGroupFacts } from "./log-index.ts";
import { createOpenLogs } from "./open-logs.ts";
import { type LogLine, readLines } from "./read-lines.ts";

export interface LogPart extends LogKey {
  offset: number;
  data: Buffer;
  times: PieceTimes;
}

export interface LogPiece {
  data: string;
  next: number;
  complete: boolean;
}

interface Deps {
  home: string;
  /** Bytes that stay free on the disk. */
  diskFloor: number;
  /** Bytes that the log of one attempt may have. */
  logLimit: number;
  /** The server's clock: an agent's that is ahead of it counts for no more. */
  now: () => number;
}

export interface JobLogs {
  /** Takes what of a part is new; answers the byte expected next. Refuses a gap, and any part below the disk floor. */
  append(part: LogPart): Promise<{ next: number } | Refusal>;
  /** Makes what was appended survive a loss of power. */
  sync(key: LogKey): Promise<void>;
  /** At most `limit` bytes from `offset`, never half a character. */
  read(log: LogKey & Pick<LogRow, "complete">, piece: { offset: number; limit: number }): Promise<LogPiece>;
  /** The log with its index, whatever state a crash has left it in. */
  open(key: LogKey): Promise<OpenLog>;
  lines(key: LogKey, range: LineRange): Promise<LogPage>;
  groups(key: LogKey): Promise<(LogGroup & { open: boolean; lines: number })[]>;
  /** Rings for a job when its log grows. */
  bell: Bell;
  /** Whether the disk has less free than the floor. */
  diskIsFull(): Promise<boolean>;
}

export interface LogPage {
  /** Lines and bytes of the whole log. */
  total: number;
  size: number;
  lines: LogLine[];
}

export type LineRange = { from: number; limit: number } | { tail: number };

export function createJobLogs({ home, diskFloor, logLimit, now }: Deps): JobLogs {
  const logs = createOpenLogs(home);
  const bell = createBell();

  async function diskIsFull(): Promise<boolean> {
    const { bavail, bsize } = await statfs(home);
    return bavail * bsize < diskFloor;
  }

  async function take(log: OpenLog, { job, offset, data, times }: LogPart): Promise<{ next: number } | Refusal> {
    const end = offset + data.length;
    if (log.size > logLimit && data.length > 0) return { next: end };
    if (offset > log.size)
      return refuse("conflict", `the log stands at byte ${log.size}`, { details: { next: log.size } });
    const skipped = log.size - offset;
    if (data.length <= skipped) return { next: log.size };
    if (await diskIsFull()) return refuse("disk.full", "the disk has less free than the floor", { fix: freeDisk });
    const kept = withinLimit(log.size, data.subarray(skipped), logLimit);
    await extendLog(
      log,
      kept,
      times.map(([byte, ms]) => [Math.max(0, byte - skipped), Math.min(ms, now())]),
    );
    bell.ring(job);
    return { next: end };
  }

  async function read(
    { job, attempt, complete }: LogKey & Pick<LogRow, "complete">,
    { offset, limit }: { offset: number; limit: number },
  ) {
    const path = logPaths(home, job, attempt).bytes;
    const size = await sizeOf(path);
    const bytes = await readAt(path, offset, Math.max(0, Math.min(limit, size - offset)));
    const atEnd = offset + bytes.length >= size;
    const whole = complete && atEnd ? { text: bytes.toString("utf8"), length: bytes.length } : wholeCharacters(bytes);
    return { data: whole.text, next: offset + whole.length, complete: complete && atEnd };
  }

  return {
    append: (part) => logs.hold(part, (log) => take(log, part)),
    async sync({ job, attempt }) {
      const { bytes, groups, marks } = logPaths(home, job, attempt);
      for (const path of [bytes, groups, marks]) await syncFile(path);
    },
    read,
    open: (key) => logs.hold(key, async (log) => log),
    lines: (key, range) => logs.hold(key, (log) => linesOf(log, range)),
    groups: (key) =>
      logs.hold(key, async (log) => foldGroups(await readGroupFacts(log.paths.groups), lineCount(log.scan))),
    bell,
    diskIsFull,
  };
}

async function linesOf(log: OpenLog, range: LineRange): Promise<LogPage> {
  const total = lineCount(log.scan);
  const wanted = "tail" in range ? { from: Math.max(1, total + 1 - range.tail), limit: range.tail } : range;
  return { total, size: log.size, lines: await readLines(log, wanted) };
}

/** The groups, each as long as it reaches to the next one's heading, opened where a later line says so. */
function foldGroups(facts: Awaited<ReturnType<typeof readGroupFacts>>, total: number) {
  const groups: (LogGroup & { open: boolean; lines: number })[] = [];
  for (const { fact } of facts) {
    const last = groups.at(-1);
    if (!("open" in fact)) groups.push({ ...fact, open: fact.kind === "+++", lines: 0 });
    else if (last) last.open = true;
  }
  return groups.map((group, at) => ({ ...group, lines: (groups[at + 1]?.line ?? total + 1) - group.line }));
}

export const freeDisk = "Free space on the server's disk, or lower TOWLINE_DISK_FLOOR.";
