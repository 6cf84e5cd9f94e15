/**
 * Blobs in a folder: `blobs/<algorithm>/<first two digits>/<hex>` and `uploads/<id>`, both on one file system so that a
 * rename makes an upload a blob. The order of a commit (sync the content, rename, sync the folder) is what makes every
 * moment of it safe to die in.
 */
import { mkdir, open, opendir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { absent, contentOf } from "./content.ts";
import type { Blobs, Stored } from "./contract.ts";
import { checkedDigest, isUpload, parseDigest } from "./digest.ts";
import { createFsUploads } from "./fs-uploads.ts";

/** Opens the store in a folder, which is made when it is missing. */
export async function openFsBlobs(home: string): Promise<Blobs> {
  const folders = { uploads: join(home, "uploads"), blobs: join(home, "blobs") };
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  const uploads = createFsUploads(folders.uploads);
  const pathOf = (digest: string) => {
    const { algorithm, hex } = checkedDigest(digest);
    return join(folders.blobs, algorithm, hex.slice(0, 2), hex);
  };
  return {
    uploadSize: uploads.size,
    append: uploads.append,
    commit: async (upload, digest) => uploads.seal(upload, digest, (path) => publish(path, pathOf(digest))),
    discard: uploads.discard,
    size: async (digest) => (await stat(pathOf(digest)).catch(absent))?.size,
    read: async (key, range) => (isUpload(key) ? uploads.read(key, range) : contentOf(pathOf(key), range)),
    remove: (digest) => rm(pathOf(digest), { force: true }),
    uploads: uploads.list,
    blobs: () => listBlobs(folders.blobs),
    async free() {
      const { bavail, bsize } = await statfs(home);
      return bavail * bsize;
    },
  };
}

async function publish(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  await rename(from, to);
  await syncFolder(folder);
  // A folder made just now is an entry of the one above it.
  for (let child = folder; made && child.length >= made.length; child = dirname(child))
    await syncFolder(dirname(child));
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path);
  await folder.sync();
}

async function* listBlobs(folder: string): AsyncIterable<Stored> {
  for await (const entry of await opendir(folder, { recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const key = entry.isFile() ? digestAt(folder, path) : undefined;
    // The change of the inode, not of the content: a slow upload is older than the blob it became.
    const found = key && (await stat(path).catch(absent));
    if (key && found) yield { key, changedAt: found.ctime };
  }
}

function digestAt(folder: string, path: string): string | undefined {
  const [algorithm, , hex] = path.slice(folder.length + 1).split("/");
  const digest = `${algorithm}:${hex}`;
  return parseDigest(digest) ? digest : undefined;
}
