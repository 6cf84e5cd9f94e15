/** What ended processes may leave: git removes its temporary files, except where a signal or a kill got in between. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

export interface Sweep {
  folder: string;
  /** Matched against the last part of the path. */
  pattern: RegExp;
  /** Only what was not touched since then. */
  before?: Date;
  recursive?: boolean;
}

/** Folders in which receive-pack keeps the objects of a push until its refs move. */
export const quarantines = /^tmp_objdir-/;

/** Removes what matches; answers the paths. */
export async function sweep({ folder, pattern, before, recursive = false }: Sweep): Promise<string[]> {
  const removed: string[] = [];
  for (const entry of await readdir(folder, { recursive })) {
    if (!pattern.test(entry.slice(entry.lastIndexOf("/") + 1))) continue;
    const path = join(folder, entry);
    const found = await stat(path).catch(() => undefined);
    if (!found || (before && found.mtimeMs >= before.getTime())) continue;
    await rm(path, { recursive: true, force: true });
    removed.push(path);
  }
  return removed;
}

export interface Receivers {
  /** Before a push begins: waits while leftovers of earlier ones are removed. */
  enter(repository: string): Promise<void>;
  /** After all its processes have ended; the last one at work on a repository cleans up. */
  leave(repository: string): void;
}

export function createReceivers(clean: (repository: string) => Promise<void>): Receivers {
  const working = new Map<string, number>();
  const cleaning = new Map<string, Promise<void>>();
  return {
    async enter(repository) {
      working.set(repository, (working.get(repository) ?? 0) + 1);
      await cleaning.get(repository);
    },
    leave(repository) {
      const left = (working.get(repository) ?? 1) - 1;
      if (left > 0) {
        working.set(repository, left);
        return;
      }
      working.delete(repository);
      const done = clean(repository).finally(() => {
        if (cleaning.get(repository) === done) cleaning.delete(repository);
      });
      cleaning.set(repository, done);
    },
  };
}
