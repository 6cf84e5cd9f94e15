/** Finds what a job left in its workspace and reads it. Whoever wrote it is hostile: links lead nowhere, and all is limited. */
import { constants } from "node:fs";
import { glob, lstat, open, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";

const searchMs = 20_000;

export interface FoundFiles {
  /** Relative to the workspace, sorted. */
  paths: string[];
  /** Why these may not be all. */
  fault?: string;
}

export async function findFiles(workspace: string, patterns: readonly string[], most: number): Promise<FoundFiles> {
  const found = new Set<string>();
  const deadline = Date.now() + searchMs;
  for (const pattern of patterns) {
    for await (const path of glob(pattern, { cwd: workspace })) {
      if (Date.now() > deadline)
        return { paths: [...found].toSorted(), fault: `the search for ${pattern} took too long` };
      found.add(path);
      if (found.size > most) return { paths: [...found].slice(0, most), fault: `only ${most} files are read` };
    }
  }
  return { paths: [...found].toSorted() };
}

/** The bytes of a file that lies within the workspace and is one; otherwise why not. */
export async function readInside(workspace: string, path: string, mostBytes: number): Promise<Buffer | string> {
  const root = await realpath(workspace);
  const real = await realpath(join(root, path)).catch(() => undefined);
  if (real === undefined || relative(root, real).split(sep)[0] === "..") return "it leads out of the workspace";
  // What is neither file nor folder could make whoever opens it wait for ever.
  if (!(await lstat(real)).isFile()) return "it is no file";
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (!file) return "it cannot be read";
  try {
    if ((await file.stat()).size > mostBytes) return `it is larger than ${mostBytes / 1024 / 1024} MiB`;
    return await file.readFile();
  } finally {
    await file.close();
  }
}
