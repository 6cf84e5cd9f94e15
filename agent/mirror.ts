/** A bare repository that stays with the agent, so that each commit is fetched once and only what is new travels. */
import { mkdir, readdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { isThere } from "#kernel/files.ts";
import type { Git } from "./git.ts";

export interface Commit {
  url: string;
  commit: string;
}

/** Makes the commit be in the mirror; answers whether it had to be fetched. One call at a time for a mirror: Git's own lock files are not waited for. */
export async function fetchCommit(git: Git, mirror: string, { url, commit }: Commit): Promise<boolean> {
  await mkdir(mirror, { recursive: true });
  const ref = `refs/towline/${commit}`;
  await touch(mirror);
  if (await isThere(join(mirror, ref))) return false;
  await removeLeftovers(mirror);
  if (!(await isThere(join(mirror, "HEAD")))) await git.run(["init", "--quiet", "--bare", mirror]);
  await git.ask([
    ...["-C", mirror, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"],
    ...[url, `+${commit}:${ref}`],
  ]);
  return true;
}

/** Packs what many fetches have scattered. What no commit of ours names any more stays for two weeks, for jobs at work. */
export async function tidyMirror(git: Git, mirror: string): Promise<void> {
  await git.run(["-C", mirror, "gc", "--auto", "--quiet"]);
}

/** A fetch that was killed leaves locks, and every later one would stumble over them. */
async function removeLeftovers(mirror: string): Promise<void> {
  const folders = { ".": /\.lock$/, "refs/towline": /\.lock$/, "objects/pack": /^(\.tmp-|tmp_)|\.lock$/ };
  for (const [folder, pattern] of Object.entries(folders)) {
    const names = await readdir(join(mirror, folder)).catch(() => []);
    for (const name of names.filter((each) => pattern.test(each)))
      await rm(join(mirror, folder, name), { force: true });
  }
}

/** The day of its last use is the day of its folder. */
async function touch(mirror: string): Promise<void> {
  const now = new Date();
  await utimes(mirror, now, now);
}
