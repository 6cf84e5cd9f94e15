/** The services of the repository that the command runs in, as its files are now. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isThere } from "#kernel/files.ts";
import { inFolder, manifestName, readServices, type RepositoryService, serviceFolders } from "#pipeline/services.ts";
import { git } from "./local-build.ts";

export interface LocalRepository {
  /** Folder of the checkout; outside of a repository that of the command. */
  top: string;
  services: RepositoryService[];
}

export async function localRepository(): Promise<LocalRepository> {
  const top = (await git(".", "rev-parse", "--show-toplevel")) ?? process.cwd();
  const listed = await git(
    top,
    "ls-files",
    "--cached",
    "--others",
    "--exclude-standard",
    "-z",
    "--",
    `*${manifestName}`,
  );
  const paths = [...new Set([manifestName, ...(listed ?? "").split("\0")])];
  const there = await Promise.all(paths.map(async (path) => ((await isThere(join(top, path))) ? [path] : [])));
  const folders = serviceFolders(there.flat());
  const texts = folders.map(async (folder) => {
    return { folder, text: await readFile(join(top, inFolder(folder, manifestName)), "utf8") };
  });
  return { top, services: readServices(await Promise.all(texts)) };
}

/** The first of the files that is there. */
export async function firstThatIs(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) if (await isThere(file)) return file;
  return undefined;
}
