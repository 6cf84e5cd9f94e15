/**
 * Blobs as objects of an S3 bucket, under the names that `fs.ts` gives to files. Uploads grow in a folder of this machine, where
 * they can be carried on byte by byte and are checked; what is right goes up to the bucket, which shows an object only when all
 * of it is there. A process that dies meanwhile leaves the upload, and parts in the bucket that nobody sees: those are listed as
 * uploads, so that the sweep takes them.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { Blobs, ByteRange } from "./contract.ts";
import { checkedDigest, isUpload, parseDigest } from "./digest.ts";
import { createFsUploads } from "./fs-uploads.ts";
import type { Body, Bucket, Multipart } from "./s3-bucket.ts";
import { sinkWriter } from "./sink-writer.ts";

export interface S3Shelf {
  /** Uploads grow below it, in the folder's `uploads`, which is made when it is missing. */
  home: string;
  bucket: Bucket;
  /** Below the home, and in the bucket: empty, or such as `artifacts`. */
  folder: string;
}

export async function openS3Blobs({ home, bucket, folder }: S3Shelf): Promise<Blobs> {
  const growing = join(home, folder, "uploads");
  await mkdir(growing, { recursive: true, mode: 0o700 });
  const uploads = createFsUploads(growing);
  const root = `${folder === "" ? "" : `${folder}/`}blobs/`;
  const keyOf = (digest: string) => {
    const { algorithm, hex } = checkedDigest(digest);
    return `${root}${algorithm}/${hex.slice(0, 2)}/${hex}`;
  };

  async function publish(path: string, digest: string): Promise<void> {
    await bucket.put(keyOf(digest), createReadStream(path), (await stat(path)).size);
    await rm(path);
  }

  return {
    uploadSize: uploads.size,
    append: uploads.append,
    commit: async (upload, digest) => uploads.seal(upload, digest, (path) => publish(path, digest)),
    async discard(upload) {
      await uploads.discard(upload);
      if (!upload.startsWith(leftPrefix)) return;
      for await (const left of bucket.multiparts(root)) if (idOfLeft(left) === upload) await bucket.abort(left);
    },
    size: async (digest) => bucket.size(keyOf(digest)),
    async read(key, range) {
      if (isUpload(key)) return uploads.read(key, range);
      const body = await bucket.get(keyOf(key), range);
      return body && { copyTo: (sink) => copyTo(resumed(bucket, { key: keyOf(key), range }, body), sink) };
    },
    remove: async (digest) => bucket.delete(keyOf(digest)),
    async *uploads() {
      yield* uploads.list();
      for await (const left of bucket.multiparts(root)) yield { key: idOfLeft(left), changedAt: left.changedAt };
    },
    async *blobs() {
      for await (const { key, changedAt } of bucket.list(root)) {
        const [algorithm, , hex] = key.slice(root.length).split("/");
        const digest = `${algorithm}:${hex}`;
        if (parseDigest(digest) && keyOf(digest) === key) yield { key: digest, changedAt };
      }
    },
    async free() {
      const { bavail, bsize } = await statfs(growing);
      return bavail * bsize;
    },
  };
}

const leftPrefix = "s3-";

/** S3's own ids are too long for an upload's, and of any letters. */
const idOfLeft = ({ key, uploadId }: Multipart): string =>
  leftPrefix + createHash("sha256").update(`${key}\0${uploadId}`).digest("hex").slice(0, 40);

/** One more break than so many, with less than a mebibyte after each, is the end. */
const mostBreaks = 5;
const progressBytes = 1024 * 1024;
/** Twice as long after each. */
const againMs = 100;

/** All that is to come: where the connection breaks off the rest is asked for, for what a digest names never changes. */
async function* resumed(
  bucket: Pick<Bucket, "get">,
  { key, range }: { key: string; range: ByteRange | undefined },
  begun: Body,
): AsyncGenerator<Uint8Array> {
  const first = range?.first ?? 0;
  const last = first + begun.size - 1;
  let at = first;
  let breaks = { count: 0, at };
  for (let body: Body | undefined = begun; ; body = undefined) {
    try {
      body ??= await bucket.get(key, { first: at, last });
      for await (const chunk of body?.stream ?? []) {
        at += (chunk as Uint8Array).length;
        yield chunk as Uint8Array;
      }
      if (at > last) return;
      throw new Error(`the bucket ended ${key} ${last + 1 - at} bytes early`);
    } catch (error) {
      if (at - breaks.at >= progressBytes) breaks = { count: 0, at };
      breaks.count += 1;
      if (breaks.count > mostBreaks) throw error;
    }
    await setTimeout(againMs * 2 ** (breaks.count - 1));
  }
}

/** The next chunk comes while the one before is written. */
async function copyTo(body: AsyncIterable<Uint8Array>, sink: Writable): Promise<void> {
  using writer = sinkWriter(sink);
  let writing = Promise.resolve();
  for await (const chunk of body) {
    await writing;
    writing = writer.write(chunk);
    // Met at the next turn.
    writing.catch(() => undefined);
  }
  await writing;
}
