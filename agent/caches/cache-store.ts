/**
 * What steps keep for later builds, as archives on the agent's disk: each written beside and then renamed, so that whoever reads has
 * all of one or nothing. A branch has entries of its own and reads those of the default branch too, never the other way round: a
 * pull request must not decide what the default branch builds with.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface CacheEntry {
  key: string;
  /** Path of the archive. */
  archive: string;
}

export interface CacheScope {
  repository: string;
  /** Where it is written; the first of those that are read. */
  branch: string;
  defaultBranch: string;
  /** What an entry holds: entries of other paths are others. */
  paths: readonly string[];
}

export interface CacheStore {
  /** The entry with this key, or the newest whose key begins so. Finding it counts as a use. */
  find(scope: CacheScope, key: string, how: "exact" | "beginning"): Promise<CacheEntry | undefined>;
  /** Where an archive for the key is to be written, and then `commit`ted or `discard`ed. */
  draft(scope: CacheScope, key: string): Promise<CacheDraft>;
  /** Removes what was not used for longest until all take at most so many bytes; answers the bytes that were freed. */
  evict(mostBytes: number): Promise<number>;
  /** Removes the one that was not used for longest; false when there is none. */
  removeOldest(): Promise<boolean>;
  /** Bytes of all. */
  size(): Promise<number>;
}

export interface CacheDraft {
  archive: string;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 32);

export function createCacheStore(home: string): CacheStore {
  const root = join(home, "caches");
  const folderOf = ({ repository, paths }: CacheScope, branch: string) =>
    join(root, repository, digest(JSON.stringify([branch, ...paths])));

  async function findIn(folder: string, key: string, how: "exact" | "beginning"): Promise<CacheEntry | undefined> {
    if (how === "exact") return entryIn(folder, `${digest(key)}.tar`, (found) => found === key);
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".tar"));
    const dated = await Promise.all(names.map(async (name) => ({ name, at: await timeOf(join(folder, name)) })));
    for (const { name } of dated.toSorted((one, other) => other.at - one.at)) {
      const entry = await entryIn(folder, name, (found) => found.startsWith(key));
      if (entry) return entry;
    }
    return undefined;
  }

  /** Those that were not used for longest first. */
  async function archives(): Promise<{ path: string; bytes: number; usedAt: number }[]> {
    const names = await readdir(root, { recursive: true }).catch(() => []);
    const found = names
      .filter((name) => name.endsWith(".tar"))
      .map(async (name) => {
        const known = await stat(join(root, name)).catch(() => undefined);
        return { path: join(root, name), bytes: known?.size ?? 0, usedAt: known?.mtimeMs ?? 0 };
      });
    return (await Promise.all(found)).toSorted((one, other) => one.usedAt - other.usedAt);
  }

  return {
    async find(scope, key, how) {
      for (const branch of new Set([scope.branch, scope.defaultBranch])) {
        const entry = await findIn(folderOf(scope, branch), key, how);
        if (!entry) continue;
        await utimes(entry.archive, new Date(), new Date()).catch(() => {});
        return entry;
      }
      return undefined;
    },

    async draft(scope, key) {
      const folder = folderOf(scope, scope.branch);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, `${digest(key)}.tar`);
      const archive = `${path}.${crypto.randomUUID()}.new`;
      return {
        archive,
        async commit() {
          // The key first: an archive without one is not found.
          await writeFile(`${path}.key`, key, { mode: 0o600 });
          await rename(archive, path);
        },
        discard: () => rm(archive, { force: true }),
      };
    },

    async evict(mostBytes) {
      const all = await archives();
      let total = all.reduce((sum, { bytes }) => sum + bytes, 0);
      const before = total;
      for (const { path, bytes } of all) {
        if (total <= mostBytes) break;
        await remove(path);
        total -= bytes;
      }
      return before - total;
    },

    async removeOldest() {
      const [oldest] = await archives();
      if (oldest) await remove(oldest.path);
      return oldest !== undefined;
    },

    size: async () => (await archives()).reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}.key`, { force: true });
}

async function entryIn(folder: string, name: string, fits: (key: string) => boolean): Promise<CacheEntry | undefined> {
  const archive = join(folder, name);
  const key = await readFile(`${archive}.key`, "utf8").catch(() => undefined);
  return key !== undefined && fits(key) && (await timeOf(archive)) > 0 ? { key, archive } : undefined;
}

async function timeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
