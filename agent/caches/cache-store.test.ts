import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CacheStore, createCacheStore } from "./cache-store.ts";

async function openStore() {
  const home = await mkdtemp(join(tmpdir(), "towline-caches-"));
  return { ...createCacheStore(home), [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }) };
}

const scope = (branch = "main") => ({ repository: "orders", branch, defaultBranch: "main", paths: ["node_modules"] });

async function keep(store: CacheStore, key: string, content: string, branch = "main"): Promise<void> {
  const draft = await store.draft(scope(branch), key);
  await writeFile(draft.archive, content);
  await draft.commit();
}

async function read(store: CacheStore, key: string, how: "exact" | "beginning" = "exact", branch = "main") {
  const entry = await store.find(scope(branch), key, how);
  return entry && `${entry.key}: ${await readFile(entry.archive, "utf8")}`;
}

/** As if it had been used so many minutes ago. */
async function age(store: CacheStore, key: string, minutes: number): Promise<void> {
  const entry = await store.find(scope(), key, "exact");
  const at = new Date(Date.now() - minutes * 60_000);
  await utimes(entry?.archive ?? "", at, at);
}

test("an entry is found by its key, or as the newest whose key begins so", async () => {
  await using store = await openStore();
  await keep(store, "npm-1", "one");
  await keep(store, "npm-2", "two");
  await age(store, "npm-2", 1);
  expect(await read(store, "npm-2")).toBe("npm-2: two");
  await age(store, "npm-1", 2);
  expect(await read(store, "npm-", "beginning")).toBe("npm-2: two");
  expect(await read(store, "npm-", "exact")).toBeUndefined();
});

test("an entry that is being written, or was given up, is not there", async () => {
  await using store = await openStore();
  await keep(store, "npm", "before");
  const draft = await store.draft(scope(), "npm");
  await writeFile(draft.archive, "half");
  expect(await read(store, "npm")).toBe("npm: before");
  await draft.discard();
  expect(await read(store, "npm")).toBe("npm: before");
});

test("a branch begins with what the default branch has, and never the other way round", async () => {
  await using store = await openStore();
  await keep(store, "npm", "of main");
  expect(await read(store, "npm", "exact", "feature")).toBe("npm: of main");
  await keep(store, "npm", "of feature", "feature");
  expect(await read(store, "npm", "exact", "feature")).toBe("npm: of feature");
  expect(await read(store, "npm", "exact", "main")).toBe("npm: of main");
});

test("entries of other paths are others", async () => {
  await using store = await openStore();
  await keep(store, "npm", "of one folder");
  expect(await store.find({ ...scope(), paths: ["vendor"] }, "npm", "exact")).toBeUndefined();
});

test("what was not used for longest goes first, until the rest has room", async () => {
  await using store = await openStore();
  for (const [key, minutes] of [
    ["old", 3],
    ["used", 2],
    ["new", 1],
  ] as const) {
    await keep(store, key, "x".repeat(100));
    await age(store, key, minutes);
  }
  await read(store, "used");
  expect(await store.evict(250)).toBe(100);
  expect([await read(store, "old"), await store.size()]).toEqual([undefined, 200]);
  expect(await store.evict(250)).toBe(0);
  expect(await store.evict(100)).toBe(100);
  expect(await read(store, "new")).toBeUndefined();
});
