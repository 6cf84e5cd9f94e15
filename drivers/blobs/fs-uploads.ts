/** The folder of uploads: growing files, one for each upload. */
import { type FileHandle, open, opendir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { appendTo } from "./append.ts";
import { absent, contentOf } from "./content.ts";
import { type Append, BlobError, type ByteRange, type Content, type Stored } from "./contract.ts";
import { checkedDigest, checkedUpload } from "./digest.ts";
import { createHashStates, hashFile } from "./hash-states.ts";

export interface FsUploads {
  size(upload: string): Promise<number>;
  append(append: Append): Promise<number>;
  /** Syncs the content, checks it, hands the file's path to `publish` (which moves it away) and answers the size. */
  seal(upload: string, digest: string, publish: (path: string) => Promise<void>): Promise<number>;
  discard(upload: string): Promise<void>;
  read(upload: string, range?: ByteRange): Promise<Content | undefined>;
  list(): AsyncIterable<Stored>;
}

export function createFsUploads(folder: string): FsUploads {
  const states = createHashStates();
  const pathOf = (upload: string) => join(folder, checkedUpload(upload));

  async function discard(upload: string): Promise<void> {
    states.forget(upload);
    await rm(pathOf(upload), { force: true });
  }

  /** A full disk ends the upload and so gives its space back. */
  async function orDiskFull<T>(upload: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isFull(error)) throw error;
      await discard(upload);
      throw new BlobError("disk-full", "no space is left on the disk", { cause: error });
    }
  }

  async function hashOf(upload: string, algorithm: string, size: number): Promise<string> {
    const path = pathOf(upload);
    const { hash } =
      algorithm === "sha256" ? await states.take(upload, path, size) : { hash: await hashFile(algorithm, path, size) };
    return hash.digest("hex");
  }

  return {
    size: async (upload) => (await stat(pathOf(upload)).catch(absent))?.size ?? 0,
    append: ({ upload, at, source }) =>
      orDiskFull(upload, async () => {
        await using file = await openUpload(pathOf(upload));
        const { size } = await file.stat();
        if (size !== at) throw new BlobError("wrong-offset", `the upload holds ${size} bytes, not ${at}`);
        const state = await states.take(upload, pathOf(upload), size);
        await appendTo(file, state, source).finally(() => states.keep(upload, state));
        return state.size;
      }),
    seal: (upload, digest, publish) =>
      orDiskFull(upload, async () => {
        const { algorithm, hex } = checkedDigest(digest);
        const size = await sync(pathOf(upload));
        if ((await hashOf(upload, algorithm, size)) !== hex) {
          await discard(upload);
          throw new BlobError("wrong-digest", `the content is not ${digest}`);
        }
        await publish(pathOf(upload));
        states.forget(upload);
        return size;
      }),
    discard,
    read: async (upload, range) => contentOf(pathOf(upload), range),
    list: () => listFiles(folder),
  };
}

const openUpload = (path: string): Promise<FileHandle> => open(path, "a+", 0o600);

/** The upload's size, once all of it is on the disk. An upload without a byte becomes an empty file. */
async function sync(path: string): Promise<number> {
  await using file = await openUpload(path);
  await file.datasync();
  return (await file.stat()).size;
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT";
}

async function* listFiles(folder: string): AsyncIterable<Stored> {
  for await (const { name } of await opendir(folder)) {
    const found = await stat(join(folder, name)).catch(absent);
    if (found) yield { key: name, changedAt: found.mtime };
  }
}
