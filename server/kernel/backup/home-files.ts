/** The files of a home: which are part of a backup, and a view of them that stays whole while the server works. */
import { execFile } from "node:child_process";
import { link, mkdir, opendir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { isThere } from "../files.ts";

const run = promisify(execFile);

/** Contents that never change once they are there, by digest. */
const contents = ["blobs", "artifacts/blobs", "backups/blobs"];
/** Copied as they are after the database has been read: what it knows of is there then. */
const copied = ["installation-id", "secrets"];

/** The content may be swept away at any time, so a second name is given to it, before and after the database is read. */
export async function linkContents(home: string, view: string): Promise<void> {
  for (const folder of contents) await linkTree(join(home, folder), join(view, folder));
}

async function linkTree(from: string, to: string): Promise<void> {
  if (!(await isThere(from))) return;
  await mkdir(to, { recursive: true, mode: 0o700 });
  for await (const entry of await opendir(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkTree(source, target);
    // It is there already, or gone since it was listed.
    else if (entry.isFile())
      await link(source, target).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST" && error.code !== "ENOENT") throw error;
      });
  }
}

/** Keys, repositories and, where wanted, logs of jobs. */
export async function copyRest(home: string, view: string, withLogs: boolean): Promise<void> {
  for (const name of withLogs ? [...copied, "logs"] : copied)
    if (await isThere(join(home, name))) await copy(join(home, name), view);
  for (const name of await repositoriesIn(home)) await copyRepository(home, view, name);
}

async function copy(from: string, into: string): Promise<void> {
  await mkdir(into, { recursive: true, mode: 0o700 });
  await run("cp", ["-a", "--reflink=auto", from, `${into}/`]);
}

const tries = 5;

/** Names first, then the objects that they lead to; should Git have packed meanwhile, all of it again. */
async function copyRepository(home: string, view: string, name: string): Promise<void> {
  const [from, into] = [join(home, "repositories", name), join(view, "repositories", name)];
  for (let attempt = 1; ; attempt++) {
    try {
      await run("rm", ["-rf", into]);
      const parts = (await readdir(from)).filter((part) => part !== "objects");
      for (const part of parts) await copy(join(from, part), into);
      await copy(join(from, "objects"), into);
      await checkRepository(into);
      return;
    } catch (error) {
      if (attempt === tries) throw error;
    }
  }
}

/** Everything that its names lead to is there. */
export async function checkRepository(path: string): Promise<void> {
  await run("git", [
    "-c",
    "safe.directory=*",
    "-C",
    path,
    "fsck",
    "--connectivity-only",
    "--no-dangling",
    "--no-progress",
  ]);
}

export async function repositoriesIn(home: string): Promise<string[]> {
  const found = await readdir(join(home, "repositories")).catch(() => []);
  return found.filter((name) => name.endsWith(".git")).toSorted();
}
