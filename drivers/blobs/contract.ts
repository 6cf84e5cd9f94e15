/**
 * The seam to the store of blobs: content addressed by its digest, and uploads that become blobs.
 *
 * An upload is a growing file under an id that the caller makes (lower-case letters, digits and dashes); it exists from
 * its first byte on, and one writer at a time is the caller's duty. Blobs never change. A process that dies at any point
 * leaves whole blobs and resumable uploads, never a half-written blob. Failures are `BlobError`s; all else is a broken world.
 */
import type { Writable } from "node:stream";

export const blobFailures = [
  /** The upload does not hold the number of bytes at which the caller wants to go on. */
  "wrong-offset",
  /** What was uploaded has another digest; the upload is gone. */
  "wrong-digest",
  /** No space is left; the upload is gone. */
  "disk-full",
] as const;
export type BlobFailure = (typeof blobFailures)[number];

export class BlobError extends Error {
  readonly code: BlobFailure;
  constructor(code: BlobFailure, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "BlobError";
    this.code = code;
  }
}

/** First and last byte, both included, as in HTTP; inside the blob. */
export interface ByteRange {
  first: number;
  last: number;
}

/** Something stored, and when it was last changed: the sweep takes only what is old. */
export interface Stored {
  /** Digest of a blob, id of an upload. */
  key: string;
  changedAt: Date;
}

export interface Append {
  upload: string;
  /** Bytes that the upload must hold already. */
  at: number;
  /** Each chunk is read until the next is asked for, not longer: the source may use its memory again. */
  source: AsyncIterable<Uint8Array>;
}

/** Content that was found; it is held open until it has been copied, so every one is copied. */
export interface Content {
  /**
   * Writes all of it into the sink, which stays open. A chunk is the sink's until it has called back, not longer. Rejects
   * when the sink fails or closes before.
   */
  copyTo(sink: Writable): Promise<void>;
}

export interface Blobs {
  /** Bytes in the upload; 0 when none was written. */
  uploadSize(upload: string): Promise<number>;
  /**
   * Writes the source behind what is there and answers the new size. Memory stays flat whatever the size. When the source
   * fails, what arrived before stays in the upload and the source's error is thrown.
   */
  append(append: Append): Promise<number>;
  /**
   * Makes the upload a blob that outlives a power cut, and answers its size. Committing what is a blob already is no
   * error. The upload is gone afterwards, whether the digest was right or not.
   */
  commit(upload: string, digest: string): Promise<number>;
  /** Removes an upload; a missing one is no error. */
  discard(upload: string): Promise<void>;
  /** Size of a blob in bytes; undefined when there is none. */
  size(digest: string): Promise<number | undefined>;
  /** The content of a blob by its digest, or of an upload by its id as far as it has grown, or a part of it; undefined when there is none. */
  read(key: string, range?: ByteRange): Promise<Content | undefined>;
  /** Removes a blob; a missing one is no error. Content that was found before is still copied. */
  remove(digest: string): Promise<void>;
  /** All uploads that hold bytes, in no order. */
  uploads(): AsyncIterable<Stored>;
  /** All blobs, in no order. */
  blobs(): AsyncIterable<Stored>;
  /** Bytes that can still be written. */
  free(): Promise<number>;
}
