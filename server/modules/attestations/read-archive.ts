/** Entries of a layer, in their order, as a stream: nothing is written to the disk, and nothing large is held. */
import { PassThrough, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { Parser, type ReadEntry } from "tar";
import type { ByteRange, Content } from "#drivers/blobs/contract.ts";
import { type Budget, spend } from "./budget.ts";
import { Unreadable } from "./unreadable.ts";

export interface ArchiveReading {
  budget: Budget;
  signal: AbortSignal;
  /** Called for each entry; its answer takes the content, once that is there. */
  entry(entry: ReadEntry): ((content: Buffer) => void) | undefined;
}

export type ReadBlob = (range?: ByteRange) => Promise<Content | undefined>;

const largestHeader = 1024 * 1024;
const missing = "its content is missing in the store of blobs";

/** Packed by gzip or zstd, or plain. Throws `Unreadable` for what is no archive, or more than the budget. */
export async function readArchive(read: ReadBlob, reading: ArchiveReading): Promise<void> {
  const unpacker = unpackerFor(await firstBytes(read));
  const content = await read();
  if (!content) throw new Unreadable(missing);
  const unpacked = pipeline(unpacker, archiveSink(reading), { signal: reading.signal });
  const [copied, done] = await Promise.allSettled([content.copyTo(unpacker).then(() => unpacker.end()), unpacked]);
  if (done.status === "rejected") throw explained(done.reason);
  if (copied.status === "rejected") throw copied.reason;
}

function archiveSink({ budget, entry }: ArchiveReading): Writable {
  const takers = new WeakMap<ReadEntry, (content: Buffer) => void>();
  let [broken, ended]: [Error | undefined, boolean] = [undefined, false];
  const parser = new Parser({
    maxMetaEntrySize: largestHeader,
    filter: (_, each) => {
      // Here Docker stops reading, and the parser does not.
      if (ended) return false;
      const found = each as ReadEntry;
      spend(budget, { entries: 1 });
      const take = entry(found);
      if (take) takers.set(found, take);
      return take !== undefined;
    },
  });
  parser.on("eof", () => {
    ended = true;
  });
  // What is not understood here Docker may understand: then the image holds what nobody saw.
  parser.on("warn", (_: string, message: string | Error) => {
    if (!ended) broken ??= new Unreadable(`it is no archive that can be read: ${String(message)}`);
  });
  parser.on("ignoredEntry", (ignored: ReadEntry) => {
    if (ignored.meta && !ended) broken ??= new Unreadable("its archive has a header of more than a megabyte");
  });
  parser.on("entry", (found: ReadEntry) => {
    const chunks: Buffer[] = [];
    found.on("data", (chunk: Buffer) => chunks.push(chunk));
    found.on("end", () => takers.get(found)?.(Buffer.concat(chunks)));
  });
  return new Writable({
    write(chunk: Buffer, _, done) {
      try {
        spend(budget, { bytes: chunk.length });
        if (!ended) parser.write(chunk);
        done(broken);
      } catch (error) {
        done(error as Error);
      }
    },
    final(done) {
      parser.end();
      done(broken);
    },
  });
}

function unpackerFor(magic: Buffer): Transform {
  if (magic.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return createGunzip();
  if (magic.equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]))) return createZstdDecompress();
  // Chunks are the store's again once they were taken; the parser keeps parts of them for longer.
  return new Transform({ transform: (chunk: Buffer, _, done) => done(null, Buffer.from(chunk)) });
}

/** Throws `Unreadable` where there is no content. */
export async function firstBytes(read: ReadBlob): Promise<Buffer> {
  const content = await read({ first: 0, last: 3 });
  if (!content) throw new Unreadable(missing);
  const chunks: Buffer[] = [];
  const sink = new PassThrough().on("data", (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
  await content.copyTo(sink);
  sink.end();
  await new Promise((resolve) => sink.once("end", resolve));
  return Buffer.concat(chunks);
}

/** What zlib says of a damaged archive is a word about the image; the signal and the disk are not. */
function explained(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const isZlib = /^(Z_|ZSTD_|ERR_ZSTD|ERR_BUFFER|unknown compression)/.test(code ?? "");
  return isZlib ? new Unreadable(`it cannot be unpacked: ${message}`) : error;
}
