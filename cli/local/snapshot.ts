/** The working tree as it is now, uncommitted changes included: what the jobs of a local run check out. */
import { constants } from "node:fs";
import { copyFile, lstat, mkdir, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Checkouts } from "#agent/checkout.ts";
import { runAttached } from "#drivers/process/run-attached.ts";
import { git } from "../local-build.ts";

export interface Snapshot {
  folder: string;
  /** Folder of the Git objects that its history is in; an empty one where there is none. */
  objects: string;
  files: number;
  /** Files that differ from the commit. */
  changed: number;
}

/** Copies what is committed, and what is neither committed nor ignored, of the tree at `top`. */
export async function takeSnapshot(top: string, to: string): Promise<Snapshot> {
  const folder = join(to, "snapshot");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const status = await git(top, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames");
  const files = status === undefined ? await allFiles(top) : await knownFiles(top);
  const copied = await Promise.all(chunks(files, atOnce).map((part) => copyAll(top, folder, part)));
  const objects = (status === undefined ? undefined : await bringHistory(top, folder)) ?? join(to, "no-objects");
  await mkdir(objects, { recursive: true });
  const changed = (status ?? "").split("\0").filter((line) => line !== "").length;
  return { folder, objects, files: copied.reduce((sum, each) => sum + each, 0), changed };
}

const atOnce = 8;

function chunks<T>(all: readonly T[], count: number): T[][] {
  return Array.from({ length: count }, (_, index) => all.filter((__, at) => at % count === index));
}

async function knownFiles(top: string): Promise<string[]> {
  const listed = await git(top, "ls-files", "-z", "--cached", "--others", "--exclude-standard");
  return [...new Set((listed ?? "").split("\0"))].filter((path) => path !== "");
}

/** Of a folder that is no repository. */
async function allFiles(top: string): Promise<string[]> {
  const entries = await readdir(top, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(top.length + 1));
}

/** Answers how many there were. */
async function copyAll(top: string, folder: string, paths: readonly string[]): Promise<number> {
  let count = 0;
  for (const path of paths) count += await copyOne(join(top, path), join(folder, path));
  return count;
}

/** A file that was removed and is still in the index is left out; a folder is a submodule. */
async function copyOne(from: string, to: string): Promise<number> {
  const stats = await lstat(from).catch(() => undefined);
  if (!stats) return 0;
  if (stats.isDirectory()) return copyAll(from, to, await knownFiles(from));
  if (!stats.isFile() && !stats.isSymbolicLink()) return 0;
  await mkdir(dirname(to), { recursive: true });
  if (stats.isSymbolicLink()) await symlink(await readlink(from), to);
  else await copyFile(from, to, constants.COPYFILE_FICLONE);
  return 1;
}

/** The commit by reference to the repository's objects, as in an agent's checkout. Answers their folder. */
async function bringHistory(top: string, folder: string): Promise<string | undefined> {
  const commit = await git(top, "rev-parse", "--verify", "HEAD");
  const common = await git(top, "rev-parse", "--path-format=absolute", "--git-common-dir");
  if (commit === undefined || common === undefined) return undefined;
  const own = join(folder, ".git");
  const objects = join(common, "objects");
  await mkdir(join(own, "objects/info"), { recursive: true });
  await mkdir(join(own, "refs"));
  await writeFile(join(own, "objects/info/alternates"), `${objects}\n`);
  await writeFile(join(own, "config"), "[core]\n\tbare = false\n");
  await writeFile(join(own, "HEAD"), `${commit}\n`);
  await git(folder, "read-tree", "HEAD");
  return objects;
}

/** Each job gets a copy of its own, which it may spoil. */
export function localCheckouts(snapshot: () => Snapshot): Checkouts {
  return {
    async checkout({ workspace, ended, log }) {
      const args = ["-a", `${snapshot().folder}/.`, workspace];
      const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
      const code = await runAttached({
        command: "cp",
        args,
        env,
        signal: ended,
        onOutput: (bytes) => log.write(bytes),
      });
      if (code !== 0) throw new Error(`the working tree could not be copied: cp ended with ${code}`);
      return { [Symbol.dispose]: () => {} };
    },
    use: () => ({ [Symbol.dispose]: () => {} }),
    removeOldest: async () => false,
    objectsOf: () => snapshot().objects,
  };
}
