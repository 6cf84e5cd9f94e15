import { type FileHandle, open } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { ByteRange, Content } from "./contract.ts";
import { copyFile } from "./copy-file.ts";

/** What a file holds, or a part of it; undefined when there is no such file. */
export async function contentOf(path: string, range?: ByteRange): Promise<Content | undefined> {
  const file = await open(path).catch(absent);
  return file && { copyTo: (sink) => copyAndClose(file, range, sink) };
}

async function copyAndClose(opened: FileHandle, range: ByteRange | undefined, sink: Writable): Promise<void> {
  await using file = opened;
  const part = range ? { from: range.first, to: range.last + 1 } : { from: 0, to: (await file.stat()).size };
  await copyFile(file, part, sink);
}

export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
