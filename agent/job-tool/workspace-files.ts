/**
 * The files of a job as the agent reaches them: only what lies in its workspace. The job writes there while this reads, and may
 * put a link anywhere at any moment, so nothing is checked by path first and opened by path afterwards: folders are opened one
 * in the other without following links, and of an opened file the system is asked where it lies.
 */
import { constants, type Dirent } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readlink, realpath, rename, rm } from "node:fs/promises";
import { join, posix } from "node:path";

export interface Workspace {
  /** The folder on this machine. */
  root: string;
  /** Where the job's container sees it. */
  seen: string;
}

/** Path below the workspace ("" is itself) of what a job calls so in one of its folders; undefined when it lies elsewhere. */
export function pathInside({ seen }: Workspace, folder: string, path: string): string | undefined {
  const full = posix.resolve(folder, path);
  if (full === seen) return "";
  return full.startsWith(`${seen}/`) ? full.slice(seen.length + 1) : undefined;
}

/** Opens an ordinary file for reading; undefined when it is none, is not there, or lies outside by way of a link. */
export async function openFile({ root }: Workspace, path: string): Promise<FileHandle | undefined> {
  // Without waiting for the other end of a pipe.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const file = await open(join(root, path), flags).catch(unlessMissing);
  if (!file) return undefined;
  const lies = await readlink(own(file)).catch(() => "");
  const isInside = lies.startsWith(`${await realpath(root)}/`);
  if (isInside && (await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

const missing = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EACCES", "ENXIO", "ENAMETOOLONG", "EISDIR"]);

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (!missing.has(error.code ?? "")) throw error;
}

const own = ({ fd }: FileHandle, name = "") => `/proc/self/fd/${fd}${name && `/${name}`}`;

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export class TooManyFiles extends Error {}
const mostEntries = 1_000_000;

/** Files below a folder, links to files among them, to the depth; in the order of the alphabet. No link to a folder is followed. */
export async function* filesBelow({ root }: Workspace, base: string, depth: number): AsyncIterable<string> {
  let left = mostEntries;
  const folder = await openFolder(root, base, false);
  if (folder) yield* walk(folder, base, depth);

  async function* walk(opened: FileHandle, path: string, deeper: number): AsyncIterable<string> {
    await using folder = opened;
    const entries = (await readdir(own(folder), { withFileTypes: true })).toSorted(byName);
    if ((left -= entries.length) < 0) throw new TooManyFiles(`there are more than ${mostEntries} files to look at`);
    for (const entry of entries) {
      const inner = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isFile() || entry.isSymbolicLink()) yield inner;
      if (!entry.isDirectory() || deeper <= 1) continue;
      const child = await open(own(folder, entry.name), folderFlags).catch(unlessMissing);
      if (child) yield* walk(child, inner, deeper - 1);
    }
  }
}

const byName = (one: Dirent, other: Dirent) => (one.name < other.name ? -1 : 1);

/** Opens a folder below the root, or makes it; undefined when it is none or the way leads through a link. */
async function openFolder(root: string, path: string, make: boolean): Promise<FileHandle | undefined> {
  let folder: FileHandle | undefined = await open(root, constants.O_RDONLY | constants.O_DIRECTORY);
  for (const name of path.split("/").filter(Boolean)) {
    await using parent: FileHandle = folder;
    if (make) await mkdir(own(parent, name)).catch(unlessThere);
    folder = await open(own(parent, name), folderFlags).catch(unlessMissing);
    if (!folder) return undefined;
  }
  return folder;
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

/**
 * Writes a file, with its folders, by what `write` does to it; it is there under its name only when that has succeeded. Answers
 * false when the way leads through a link or a file.
 */
export async function writeFileInside(
  { root }: Workspace,
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<boolean> {
  const opened = await openFolder(root, posix.dirname(path), true);
  if (!opened) return false;
  await using folder = opened;
  const name = posix.basename(path);
  const passing = own(folder, `.${name.slice(0, 100)}.${crypto.randomUUID()}`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(passing, flags, 0o644);
  try {
    await write(file);
    await rename(passing, own(folder, name));
    return true;
  } catch (error) {
    await rm(passing, { force: true });
    if (["EISDIR", "ENOTEMPTY"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  } finally {
    await file.close();
  }
}
