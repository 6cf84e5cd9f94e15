/** The files of one attempt's log: its bytes, and beside them the index, which can be made again from the bytes. */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rm, stat, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LogRow } from "../core/rows.ts";

/** Names the files of a log. */
export interface LogKey {
  job: string;
  attempt: number;
}

/** Of an attempt that used the result of another it is that one's log. */
export function fileOf({ job, attempt, of_job: ofJob, of_attempt: ofAttempt }: LogRow): LogKey {
  return { job: ofJob ?? job, attempt: ofAttempt ?? attempt };
}

export interface LogPaths {
  bytes: string;
  marks: string;
  groups: string;
}

export function logPaths(home: string, job: string, attempt: number): LogPaths {
  const base = join(home, "logs", job, String(attempt));
  return { bytes: `${base}.log`, marks: `${base}.marks`, groups: `${base}.groups` };
}

/** Bytes of a file; 0 where there is none. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(({ size }) => size, unlessMissing(0));
}

/** Writes the bytes at a place and cuts off what was behind it, such as a part that a killed server wrote only in part. */
export async function writeAt(path: string, bytes: Buffer, position: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    for (let done = 0; done < bytes.length;)
      done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    const end = position + bytes.length;
    if ((await file.stat()).size > end) await file.truncate(end);
  } finally {
    await file.close();
  }
}

/** Removes what a file has beyond `size`. */
export async function cutFile(path: string, size: number): Promise<void> {
  if ((await sizeOf(path)) > size) await truncate(path, size);
}

/** What there is of the range; nothing where the file is gone. */
export async function readAt(path: string, position: number, length: number): Promise<Buffer> {
  const file = length > 0 ? await openToRead(path) : undefined;
  if (!file) return Buffer.alloc(0);
  try {
    return await readFrom(file, position, length);
  } finally {
    await file.close();
  }
}

export async function readFrom(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

export async function openToRead(path: string): Promise<FileHandle | undefined> {
  return open(path, "r").catch(unlessMissing(undefined));
}

/** Makes the file survive a loss of power. */
export async function syncFile(path: string): Promise<void> {
  const file = await openToRead(path);
  try {
    await file?.sync();
  } finally {
    await file?.close();
  }
}

export async function removeLog({ bytes, marks, groups }: LogPaths): Promise<void> {
  for (const path of [bytes, marks, groups]) await rm(path, { force: true });
}

function unlessMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT") return value;
    throw error;
  };
}
