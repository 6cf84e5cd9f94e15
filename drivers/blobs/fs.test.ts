import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { blobsConformance, chunksOf, digestOf } from "./conformance.ts";
import { openFsBlobs } from "./fs.ts";

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "towline-blobs-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

blobsConformance("fs", async () => {
  const folder = await temporaryFolder();
  return { blobs: await openFsBlobs(folder.path), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
});

test("an upload goes on after a restart, though its running hash is lost", async () => {
  await using folder = await temporaryFolder();
  await (await openFsBlobs(folder.path)).append({ upload: "one", at: 0, source: chunksOf("hel") });
  const restarted = await openFsBlobs(folder.path);
  expect(await restarted.uploadSize("one")).toBe(3);
  await restarted.append({ upload: "one", at: 3, source: chunksOf("lo") });
  const third = await openFsBlobs(folder.path);
  expect(await third.commit("one", digestOf(Buffer.from("hello")))).toBe(5);
});

test("more uploads at once than running hashes are kept for all arrive whole", async () => {
  await using folder = await temporaryFolder();
  const blobs = await openFsBlobs(folder.path);
  const ids = Array.from({ length: 300 }, (_, index) => `upload-${index}`);
  for (const upload of ids) await blobs.append({ upload, at: 0, source: chunksOf(upload) });
  for (const upload of ids) await blobs.append({ upload, at: upload.length, source: chunksOf("!") });
  for (const upload of ids) await blobs.commit(upload, digestOf(Buffer.from(`${upload}!`)));
});

test("files that are no blobs are not listed", async () => {
  await using folder = await temporaryFolder();
  const blobs = await openFsBlobs(folder.path);
  await mkdir(join(folder.path, "blobs", "sha256", "ab"), { recursive: true });
  await writeFile(join(folder.path, "blobs", "sha256", "ab", "README"), "not a blob");
  const listed = [];
  for await (const each of blobs.blobs()) listed.push(each);
  expect(listed).toEqual([]);
});

test("a disk that fills up refuses the upload and gives the space back", async (context) => {
  await using folder = await temporaryFolder();
  const run = promisify(execFile);
  const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.path]).catch(
    (error: Error) => error,
  );
  if (mounted instanceof Error) {
    context.skip(`a small file system cannot be mounted here: ${mounted.message.split("\n")[0]}`);
    return;
  }
  try {
    const blobs = await openFsBlobs(folder.path);
    const before = await blobs.free();
    const tooMuch = Array.from({ length: 40 }, () => Buffer.alloc(64 * 1024, 1));
    const append = blobs.append({ upload: "one", at: 0, source: chunksOf(...tooMuch) });
    await expect(append).rejects.toMatchObject({ code: "disk-full" });
    expect(await readdir(join(folder.path, "uploads"))).toEqual([]);
    expect(await blobs.free()).toBe(before);
    await blobs.append({ upload: "two", at: 0, source: chunksOf("hello") });
    expect(await blobs.commit("two", digestOf(Buffer.from("hello")))).toBe(5);
  } finally {
    await run("umount", [folder.path]);
  }
});
