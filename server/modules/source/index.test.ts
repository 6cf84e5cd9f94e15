import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testDatabase, type TestDatabase } from "#testing/database.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await testDatabase();
  server = await startTestServer({ databaseUrl: database.url });
  await server.source.ensureRepository({ name: "fleet", allowDirectPush: true });
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const author = { name: "towline", email: "towline@localhost" };
const commit = (files: Record<string, string | null>, branch = "main") =>
  server.source.commitFiles({ repository: "fleet", branch, files, message: "Change", author });

async function moves(branch: string): Promise<{ before?: string; after?: string; actor?: string }[]> {
  const { rows } = await sql<{ payload: object }>`select payload from events where name = 'source.ref-changed'
    and payload->>'ref' = ${`refs/heads/${branch}`} order by id`.execute(database.db);
  return rows.map(({ payload }) => payload);
}

test("files are committed to a branch in one commit, which is told", async () => {
  const first = await commit({
    "README.md": "# ü\n",
    'environments/"a" b.yml': "x: 1\n",
    "environments/deep/c.yml": "",
  });
  const { source } = server;
  expect(await source.readFile("fleet", "main", "README.md")).toBe("# ü\n");
  expect(await source.listFiles("fleet", first.revision, "environments/")).toEqual(['environments/"a" b.yml']);
  expect(await source.listFiles("fleet", first.revision, "")).toEqual(["README.md"]);
  const second = await commit({ "README.md": null, new: "1" });
  expect(await source.readFile("fleet", "main", "README.md")).toBeUndefined();
  expect(await source.commit("fleet", "main")).toMatchObject({
    revision: second.revision,
    author: "towline",
    email: "towline@localhost",
    message: "Change",
    parents: [first.revision],
  });
  expect(await moves("main")).toMatchObject([
    { after: first.revision, actor: "towline" },
    { before: first.revision, after: second.revision, actor: "towline" },
  ]);
});

test("files are found by their name in whatever folder", async () => {
  const { revision } = await commit(
    { "found.yml": "1", "a/found.yml": "2", "a/b/found.yml": "3", "a/not-found.yml": "4" },
    "find",
  );
  expect(await server.source.findFiles("fleet", revision, "found.yml")).toEqual([
    "a/b/found.yml",
    "a/found.yml",
    "found.yml",
  ]);
  expect(await server.source.findFiles("fleet", revision, "none.yml")).toEqual([]);
  expect(await server.source.findFiles("fleet", "gone", "found.yml")).toEqual([]);
});

test("files that are there already make no commit", async () => {
  const made = await commit({ a: "1", b: "2" }, "same");
  expect(await commit({ a: "1", gone: null }, "same")).toEqual(made);
  expect(await moves("same")).toHaveLength(1);
});

test("commits at the same time stand on each other", async () => {
  await Promise.all(["1", "2", "3", "4", "5"].map((name) => commit({ [name]: name }, "together")));
  const range = { older: undefined, newer: "together", limit: 100 };
  expect(await server.source.commitsBetween("fleet", range)).toHaveLength(5);
  const told = await moves("together");
  expect(told.slice(1).map(({ before }) => before)).toEqual(told.slice(0, -1).map(({ after }) => after));
});

test("a path out of the tree is refused and nothing is committed", async () => {
  await expect(commit({ "../x": "1" }, "paths")).rejects.toThrow("cannot be a path");
  await expect(commit({ ".git/hooks/x": "1" }, "paths")).rejects.toThrow("cannot be a path");
  expect(await server.source.resolve("fleet", "paths")).toBeUndefined();
});

test("history is asked by hash or branch", async () => {
  const { source } = server;
  const first = await commit({ a: "1" }, "line");
  const second = await commit({ a: "2" }, "line");
  const between = await source.commitsBetween("fleet", { older: first.revision, newer: "line", limit: 10 });
  expect(between.map(({ revision }) => revision)).toEqual([second.revision]);
  expect(await source.isAncestor("fleet", first.revision, second.revision)).toBe(true);
  expect(await source.isAncestor("fleet", second.revision, first.revision)).toBe(false);
  expect(await source.resolve("fleet", "refs/heads/line")).toBe(second.revision);
});

test("what does not exist is undefined, and what looks like an option is no revision", async () => {
  const { source } = server;
  const none = "0".repeat(39) + "1";
  for (const revision of [none, "nowhere", "--all", "main:README.md", "main^", "@{-1}", "main\nother"]) {
    expect(await source.resolve("fleet", revision)).toBeUndefined();
    expect(await source.readFile("fleet", revision, "a")).toBeUndefined();
    expect(await source.commit("fleet", revision)).toBeUndefined();
    expect(await source.listFiles("fleet", revision, "")).toEqual([]);
    expect(await source.commitsBetween("fleet", { older: revision, newer: "main", limit: 1 })).toEqual([]);
    expect(await source.isAncestor("fleet", revision, "main")).toBe(false);
  }
  expect(await source.readFile("fleet", "main", "environments")).toBeUndefined();
  expect(await source.repository("none")).toBeUndefined();
  await expect(source.resolve("../fleet", "main")).rejects.toThrow("a repository's name has");
});

test("a file over 1 MiB is refused", async () => {
  await commit({ large: "x".repeat(1024 * 1024 + 1), fits: "x".repeat(1024 * 1024) }, "sizes");
  await expect(server.source.readFile("fleet", "sizes", "large")).rejects.toThrow("more than 1048576 bytes");
  expect(await server.source.readFile("fleet", "sizes", "fits")).toHaveLength(1024 * 1024);
});

test("a repository that is there keeps its rules when it is ensured again", async () => {
  const again = await server.source.ensureRepository({ name: "fleet", allowDirectPush: false });
  expect(again.allowDirectPush).toBe(true);
  expect((await server.source.repositories()).map(({ name }) => name)).toEqual(["fleet"]);
});

test("maintenance runs through", async () => {
  await server.source.tasks["source.maintain"]?.({ repository: "fleet" }, new AbortController().signal);
  expect(await server.source.resolve("fleet", "main")).toBeDefined();
});

test("what moved without a word is told by the next look", async () => {
  const { revision } = await commit({ a: "moved" }, "silent");
  const folder = join(server.home, "repositories", "fleet.git");
  await promisify(execFile)("git", ["-C", folder, "branch", "by-hand", revision]);
  expect(await moves("by-hand")).toEqual([]);
  await server.source.tasks["source.look-over"]?.({}, new AbortController().signal);
  expect(await moves("by-hand")).toEqual([{ repository: "fleet", ref: "refs/heads/by-hand", after: revision }]);
});

test("the paths that a branch changed are told, and nothing for a commit that is not there", async () => {
  const { source } = server;
  const { revision: base } = await commit({ "README.md": "old" }, "paths");
  const { revision } = await commit({ "ü/é.txt": "1", "README.md": "changed" }, "paths");
  const orphan = (await source.resolve("fleet", "main")) ?? "";
  expect(await source.changedPaths("fleet", base, revision)).toEqual(["README.md", "ü/é.txt"]);
  expect(await source.changedPaths("fleet", orphan, revision)).toBeUndefined();
  expect(await source.changedPaths("fleet", revision, revision)).toEqual([]);
  expect(await source.changedPaths("fleet", "f".repeat(40), revision)).toBeUndefined();
});

test("the files of a commit are told with what names their content, and nothing for a commit that is not there", async () => {
  const { source } = server;
  const { revision: one } = await commit({ "ü/é.txt": "1", "a.txt": "same" }, "tree");
  const { revision: two } = await commit({ "ü/é.txt": "2", "a.txt": "same" }, "tree");
  const idsOf = async (revision: string) =>
    Object.fromEntries(((await source.tree("fleet", revision)) ?? []).map(({ path, id }) => [path, id]));
  const [before, after] = [await idsOf(one), await idsOf(two)];
  expect(Object.keys(after)).toEqual(expect.arrayContaining(["a.txt", "ü/é.txt"]));
  expect(after["a.txt"]).toMatch(/^100644 [0-9a-f]{40}$/);
  expect(after["a.txt"]).toBe(before["a.txt"]);
  expect(after["ü/é.txt"]).not.toBe(before["ü/é.txt"]);
  expect(await source.tree("fleet", "f".repeat(40))).toBeUndefined();
});
