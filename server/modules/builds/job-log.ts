/**
 * Logs of attempts: bytes in a file, first; then the row that says how many of them count. A chunk that is sent again
 * after a crash in between is written to the same place.
 */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { refuse, type Refusal } from "#api/errors.ts";
import { type Database, notify } from "#kernel/database.ts";
import { withinLimit } from "./core/log-limit.ts";
import { wholeCharacters } from "./core/log-text.ts";
import type { LogRow } from "./core/rows.ts";
import { buildsStore } from "./store.ts";

/** Rings after every chunk and at the end of an attempt. */
export const logChannel = "towline_job_logs";

export interface LogChunk {
  job: string;
  attempt: number;
  sequence: number;
  offset: number;
  data: Buffer;
}

export interface LogPiece {
  data: string;
  next: number;
  complete: boolean;
}

interface Deps {
  db: Database;
  home: string;
  /** Bytes that stay free on the disk. */
  diskFloor: number;
  /** Bytes that the log of one attempt may have. */
  logLimit: number;
}

export interface JobLogs {
  /** Takes a chunk once; answers the sequence expected next. Refuses a gap, and any chunk below the disk floor. */
  append(chunk: LogChunk): Promise<{ next: number } | Refusal>;
  /** Makes what was appended survive a loss of power. */
  sync(job: string, attempt: number): Promise<void>;
  /** At most `limit` bytes from `offset`, never half a character. */
  read(log: LogRow, piece: { offset: number; limit: number }): Promise<LogPiece>;
  /** Whether the disk has less free than the floor. */
  diskIsFull(): Promise<boolean>;
}

export function createJobLogs({ db, home, diskFloor, logLimit }: Deps): JobLogs {
  const store = buildsStore(db);
  const pathOf = (job: string, attempt: number) => join(home, "logs", job, `${attempt}.log`);

  async function diskIsFull(): Promise<boolean> {
    const { bavail, bsize } = await statfs(home);
    return bavail * bsize < diskFloor;
  }

  async function append({ job, attempt, sequence, offset, data }: LogChunk) {
    const log = await store.log(job, attempt);
    if (!log) throw new Error(`attempt ${attempt} of job ${job} has no log`);
    if (sequence < log.next) return { next: log.next };
    if (sequence > log.next || offset !== log.received)
      return refuse("conflict", `the log stands at chunk ${log.next}, byte ${log.received}`, {
        details: { next: log.next, offset: log.received },
      });
    if (await diskIsFull()) return refuse("disk.full", "the disk has less free than the floor", { fix: freeDisk });
    const kept = withinLimit(log.size, data, logLimit);
    if (kept.length > 0) await writeAt(pathOf(job, attempt), kept, log.size);
    const to = { next: sequence + 1, received: log.received + data.length, size: log.size + kept.length };
    await db.transaction().execute(async (tx) => {
      if (await buildsStore(tx).advanceLog({ job, attempt, ...to })) await notify(tx, logChannel);
    });
    return { next: to.next };
  }

  async function sync(job: string, attempt: number): Promise<void> {
    const file = await openIfThere(pathOf(job, attempt));
    try {
      await file?.sync();
    } finally {
      await file?.close();
    }
  }

  async function read({ job, attempt, size, complete }: LogRow, { offset, limit }: { offset: number; limit: number }) {
    const wanted = Math.max(0, Math.min(limit, size - offset));
    const bytes = wanted > 0 ? await readAt(pathOf(job, attempt), offset, wanted) : Buffer.alloc(0);
    const atEnd = offset + bytes.length >= size;
    const whole = complete && atEnd ? { text: bytes.toString("utf8"), length: bytes.length } : wholeCharacters(bytes);
    const next = offset + whole.length;
    // A file that is shorter than its row was lost with a disk: nothing more will come of it.
    return { data: whole.text, next, complete: complete && (atEnd || bytes.length < wanted) };
  }

  return { append, sync, read, diskIsFull };
}

export const freeDisk = "Free space on the server's disk, or lower TOWLINE_DISK_FLOOR.";

async function writeAt(path: string, bytes: Buffer, position: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Neither truncates nor appends: a chunk that is sent again lands where it was.
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    for (let done = 0; done < bytes.length;)
      done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  } finally {
    await file.close();
  }
}

async function readAt(path: string, position: number, length: number): Promise<Buffer> {
  const file = await openIfThere(path);
  if (!file) return Buffer.alloc(0);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path, "r+").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
