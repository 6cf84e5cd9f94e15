/** Blobs in memory, for tests of what stands on the seam. */
import { createHash } from "node:crypto";
import type { Writable } from "node:stream";
import { BlobError, type Blobs, type Stored } from "./contract.ts";
import { checkedDigest, checkedUpload, isUpload } from "./digest.ts";
import { sinkWriter } from "./sink-writer.ts";

export interface MemoryBlobs extends Blobs {
  /** Bytes that can still be written; a test lowers it to fill the disk. */
  capacity: number;
}

interface Kept {
  content: Buffer;
  changedAt: Date;
}

export function createMemoryBlobs(now: () => Date = () => new Date()): MemoryBlobs {
  const uploads = new Map<string, Kept>();
  const blobs = new Map<string, Kept>();

  function write(upload: string, chunk: Uint8Array): void {
    if (chunk.length > store.capacity) {
      uploads.delete(upload);
      throw new BlobError("disk-full", "no space is left");
    }
    store.capacity -= chunk.length;
    const content = Buffer.concat([uploads.get(upload)?.content ?? Buffer.alloc(0), chunk]);
    uploads.set(upload, { content, changedAt: now() });
  }

  const store: MemoryBlobs = {
    capacity: Number.MAX_SAFE_INTEGER,
    uploadSize: async (upload) => uploads.get(checkedUpload(upload))?.content.length ?? 0,
    async append({ upload, at, source }) {
      const size = await store.uploadSize(upload);
      if (size !== at) throw new BlobError("wrong-offset", `the upload holds ${size} bytes, not ${at}`);
      for await (const chunk of source) write(upload, chunk);
      return store.uploadSize(upload);
    },
    async commit(upload, digest) {
      const { algorithm, hex } = checkedDigest(digest);
      const content = uploads.get(checkedUpload(upload))?.content ?? Buffer.alloc(0);
      uploads.delete(upload);
      if (createHash(algorithm).update(content).digest("hex") !== hex)
        throw new BlobError("wrong-digest", `the content is not ${digest}`);
      blobs.set(digest, { content, changedAt: now() });
      return content.length;
    },
    discard: async (upload) => void uploads.delete(checkedUpload(upload)),
    size: async (digest) => blobs.get(digest)?.content.length,
    async read(key, range) {
      const content = (isUpload(key) ? uploads : blobs).get(key)?.content;
      if (!content) return undefined;
      const part = content.subarray(range?.first ?? 0, range ? range.last + 1 : content.length);
      return { copyTo: (sink) => copy(part, sink) };
    },
    remove: async (digest) => void blobs.delete(digest),
    uploads: () => stored(uploads),
    blobs: () => stored(blobs),
    free: async () => store.capacity,
  };
  return store;
}

async function copy(content: Buffer, sink: Writable): Promise<void> {
  using writer = sinkWriter(sink);
  await writer.write(content);
}

async function* stored(kept: Map<string, Kept>): AsyncIterable<Stored> {
  for (const [key, { changedAt }] of kept) yield { key, changedAt };
}
