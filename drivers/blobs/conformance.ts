/** What every store of blobs does; each implementation's test calls this with a way to open a fresh one. */
import { createHash } from "node:crypto";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Blobs, ByteRange, Content, Stored } from "./contract.ts";

export interface BlobsUnderTest extends AsyncDisposable {
  blobs: Blobs;
}

export function digestOf(content: Uint8Array, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`;
}

export async function* chunksOf(...parts: (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function keysOf(list: AsyncIterable<Stored>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of list) keys.push(key);
  return keys.toSorted();
}

async function readAll(blobs: Blobs, digest: string, range?: ByteRange): Promise<string | undefined> {
  const content = await blobs.read(digest, range);
  return content && (await textOf(content)).toString();
}

/** A slow reader that keeps what it got: a chunk that changed before its callback would show. */
async function textOf(content: Content): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _, done) =>
      setImmediate(() => {
        chunks.push(Buffer.from(chunk));
        done();
      }),
  });
  await content.copyTo(sink);
  expect(sink.writable).toBe(true);
  sink.end();
  return Buffer.concat(chunks);
}

export function blobsConformance(name: string, open: () => Promise<BlobsUnderTest>): void {
  const hello = digestOf(Buffer.from("hello"));

  describe(`${name} as a store of blobs`, () => {
    test("an upload grows by its parts and becomes a blob that is read back byte for byte", async () => {
      await using opened = await open();
      const { blobs } = opened;
      expect(await blobs.uploadSize("one")).toBe(0);
      expect(await blobs.append({ upload: "one", at: 0, source: chunksOf("he", "l") })).toBe(3);
      expect(await blobs.append({ upload: "one", at: 3, source: chunksOf("lo") })).toBe(5);
      expect(await blobs.uploadSize("one")).toBe(5);
      expect(await blobs.size(hello)).toBeUndefined();
      expect(await blobs.commit("one", hello)).toBe(5);
      expect(await blobs.size(hello)).toBe(5);
      expect(await readAll(blobs, hello)).toBe("hello");
      expect(await blobs.uploadSize("one")).toBe(0);
    });

    test("an upload is read as far as it has grown, and under its id no more once it is a blob", async () => {
      await using opened = await open();
      const { blobs } = opened;
      expect(await blobs.read("one")).toBeUndefined();
      await blobs.append({ upload: "one", at: 0, source: chunksOf("hel") });
      expect(await readAll(blobs, "one")).toBe("hel");
      await blobs.append({ upload: "one", at: 3, source: chunksOf("lo") });
      expect(await readAll(blobs, "one", { first: 2, last: 4 })).toBe("llo");
      await blobs.commit("one", hello);
      expect(await blobs.read("one")).toBeUndefined();
    });

    test("a part of a blob is read by first and last byte", async () => {
      await using opened = await open();
      const { blobs } = opened;
      await blobs.append({ upload: "one", at: 0, source: chunksOf("hello") });
      await blobs.commit("one", hello);
      expect(await readAll(blobs, hello, { first: 1, last: 3 })).toBe("ell");
      expect(await readAll(blobs, hello, { first: 4, last: 4 })).toBe("o");
    });

    test("a source may use the memory of a chunk again as soon as the next is asked for", async () => {
      await using opened = await open();
      const { blobs } = opened;
      const parts = ["a", "b", "c"].map((letter) => letter.repeat(700_000));
      async function* again() {
        const chunk = Buffer.alloc(700_000);
        for (const part of parts) {
          chunk.write(part);
          yield chunk;
          chunk.fill(0);
        }
      }
      const content = parts.join("");
      await blobs.append({ upload: "one", at: 0, source: again() });
      await blobs.commit("one", digestOf(Buffer.from(content)));
      expect((await readAll(blobs, digestOf(Buffer.from(content)))) === content).toBe(true);
    });

    test("the empty blob is a blob", async () => {
      await using opened = await open();
      const { blobs } = opened;
      const empty = digestOf(Buffer.alloc(0));
      expect(await blobs.commit("nothing", empty)).toBe(0);
      expect(await blobs.size(empty)).toBe(0);
      expect(await readAll(blobs, empty)).toBe("");
    });

    test("content is found by the digest it was committed under, SHA-512 too", async () => {
      await using opened = await open();
      const { blobs } = opened;
      const digest = digestOf(Buffer.from("hello"), "sha512");
      await blobs.append({ upload: "one", at: 0, source: chunksOf("hello") });
      await blobs.commit("one", digest);
      expect(await readAll(blobs, digest)).toBe("hello");
      expect(await blobs.size(hello)).toBeUndefined();
    });

    test("a wrong digest is refused and leaves neither blob nor upload", async () => {
      await using opened = await open();
      const { blobs } = opened;
      await blobs.append({ upload: "one", at: 0, source: chunksOf("jello") });
      await expect(blobs.commit("one", hello)).rejects.toMatchObject({ code: "wrong-digest" });
      expect(await blobs.size(hello)).toBeUndefined();
      expect(await keysOf(blobs.uploads())).toEqual([]);
    });

    test("a part at the wrong place is refused and changes nothing", async () => {
      await using opened = await open();
      const { blobs } = opened;
      await blobs.append({ upload: "one", at: 0, source: chunksOf("hel") });
      for (const at of [0, 2, 4])
        await expect(blobs.append({ upload: "one", at, source: chunksOf("lo") })).rejects.toMatchObject({
          code: "wrong-offset",
        });
      expect(await blobs.append({ upload: "one", at: 3, source: chunksOf("lo") })).toBe(5);
      expect(await blobs.commit("one", hello)).toBe(5);
    });

    test("a source that breaks leaves what arrived, and the upload goes on from there", async () => {
      await using opened = await open();
      const { blobs } = opened;
      async function* broken() {
        yield Buffer.from("hel");
        throw new Error("the line broke");
      }
      await expect(blobs.append({ upload: "one", at: 0, source: broken() })).rejects.toThrow("the line broke");
      const at = await blobs.uploadSize("one");
      expect(at).toBe(3);
      await blobs.append({ upload: "one", at, source: chunksOf("lo") });
      expect(await blobs.commit("one", hello)).toBe(5);
    });

    test("the same content twice is one blob", async () => {
      await using opened = await open();
      const { blobs } = opened;
      for (const upload of ["one", "two"]) {
        await blobs.append({ upload, at: 0, source: chunksOf("hello") });
        await blobs.commit(upload, hello);
      }
      expect(await keysOf(blobs.blobs())).toEqual([hello]);
    });

    test("uploads and blobs are listed, and gone when they are removed, twice without harm", async () => {
      await using opened = await open();
      const { blobs } = opened;
      await blobs.append({ upload: "one", at: 0, source: chunksOf("hello") });
      await blobs.append({ upload: "two", at: 0, source: chunksOf("x") });
      await blobs.commit("one", hello);
      expect(await keysOf(blobs.uploads())).toEqual(["two"]);
      expect(await keysOf(blobs.blobs())).toEqual([hello]);
      for (const _ of [1, 2]) {
        await blobs.discard("two");
        await blobs.remove(hello);
      }
      expect(await keysOf(blobs.uploads())).toEqual([]);
      expect(await keysOf(blobs.blobs())).toEqual([]);
      expect(await blobs.read(hello)).toBeUndefined();
    });

    test("content that was found is copied though it was removed meanwhile", async () => {
      await using opened = await open();
      const { blobs } = opened;
      await blobs.append({ upload: "one", at: 0, source: chunksOf("hello") });
      await blobs.commit("one", hello);
      const content = await blobs.read(hello);
      await blobs.remove(hello);
      expect(content && (await textOf(content)).toString()).toBe("hello");
    });

    test("a large blob arrives whole at a slow reader, and so does any part of it", async () => {
      await using opened = await open();
      const { blobs } = opened;
      const large = Buffer.from(Uint32Array.from({ length: 400_000 }, (_, index) => index).buffer);
      await blobs.append({ upload: "one", at: 0, source: chunksOf(large) });
      await blobs.commit("one", digestOf(large));
      for (const range of [undefined, { first: 3, last: 1_234_567 }, { first: 262_144, last: 524_287 }]) {
        const content = await blobs.read(digestOf(large), range);
        const expected = large.subarray(range?.first ?? 0, range ? range.last + 1 : large.length);
        expect(content && (await textOf(content)).equals(expected)).toBe(true);
      }
    });

    test("copying to a reader that goes away, or that fails, ends with an error", async () => {
      await using opened = await open();
      const { blobs } = opened;
      const large = Buffer.alloc(1_600_000, 7);
      await blobs.append({ upload: "one", at: 0, source: chunksOf(large) });
      await blobs.commit("one", digestOf(large));
      const silent = new Writable({ write: () => setImmediate(() => silent.destroy()) });
      await expect((await blobs.read(digestOf(large)))?.copyTo(silent)).rejects.toThrow();
      const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error("broken")) });
      failing.on("error", () => undefined);
      await expect((await blobs.read(digestOf(large)))?.copyTo(failing)).rejects.toThrow();
    });

    test("uploads side by side do not mix", async () => {
      await using opened = await open();
      const { blobs } = opened;
      const contents = Array.from({ length: 8 }, (_, index) => Buffer.alloc(200_000 + index, index));
      const parts = (content: Buffer) => chunksOf(content.subarray(0, 70_000), content.subarray(70_000));
      await Promise.all(
        contents.map(async (content, index) => {
          await blobs.append({ upload: `u${index}`, at: 0, source: parts(content) });
          await blobs.commit(`u${index}`, digestOf(content));
        }),
      );
      for (const content of contents) expect(await blobs.size(digestOf(content))).toBe(content.length);
    });

    test("a name that is neither digest nor id goes nowhere near a path", async () => {
      await using opened = await open();
      const { blobs } = opened;
      for (const id of ["../escape", "a/b", "", ".", "x\0y", "A"])
        await expect(blobs.uploadSize(id)).rejects.toThrow("not an upload's id");
      for (const digest of ["sha256:../../etc", "sha256:ab", "md5:00", hello.toUpperCase()])
        await expect(blobs.commit("one", digest)).rejects.toThrow("not a digest");
    });

    test("it says how much can still be written", async () => {
      await using opened = await open();
      expect(await opened.blobs.free()).toBeGreaterThan(0);
    });
  });
}
