import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findFiles } from "./find-files.ts";
import { openFile, pathInside, type Workspace, writeFileInside } from "./workspace-files.ts";

let home: string;
let workspace: Workspace;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "towline-files-"));
  workspace = { root: join(home, "workspace"), seen: "/workspace" };
  await mkdir(join(workspace.root, "sub/deep"), { recursive: true });
  await writeFile(join(home, "secret"), "of the agent");
  for (const path of ["a.txt", "sub/b.txt", "sub/c.log", "sub/deep/d.txt", "sub/.hidden"])
    await writeFile(join(workspace.root, path), path);
});

afterEach(() => rm(home, { recursive: true, force: true }));

const link = (to: string, at: string) => symlink(to, join(workspace.root, at));

async function found(pattern: string, folder = "/workspace") {
  const files = await findFiles(workspace, folder, pattern);
  return "problem" in files ? files.problem : files.map(({ name }) => name);
}

async function read(path: string): Promise<string | undefined> {
  const file = await openFile(workspace, path);
  const text = await file?.readFile("utf8");
  await file?.close();
  return text;
}

test("a path is meant from the job's folder, as its container sees it", () => {
  expect(pathInside(workspace, "/workspace/sub", "x")).toBe("sub/x");
  expect(pathInside(workspace, "/workspace", ".")).toBe("");
  expect(pathInside(workspace, "/tmp", "/workspace/x/../y")).toBe("y");
  for (const path of ["..", "../workspace2/x", "/etc/passwd", "/workspace/../etc"])
    expect(pathInside(workspace, "/workspace", path)).toBeUndefined();
});

test.each([
  ["**/*.txt", "/workspace", ["a.txt", "sub/b.txt", "sub/deep/d.txt"]],
  ["*.txt", "/workspace", ["a.txt"]],
  ["sub/*", "/workspace", ["sub/.hidden", "sub/b.txt", "sub/c.log"]],
  ["*.{txt,log}", "/workspace/sub", ["b.txt", "c.log"]],
  ["../*.txt", "/workspace/sub", ["a.txt"]],
  ["/workspace/sub/**/*.txt", "/tmp", ["sub/b.txt", "sub/deep/d.txt"]],
  ["./sub/b.txt", "/workspace", ["sub/b.txt"]],
  ["nothing/*", "/workspace", []],
  ["a.txt/*", "/workspace", []],
])("the glob %j in %s means %j", async (pattern, folder, names) => {
  const files = await found(pattern, folder);
  expect(files).toEqual(folder === "/tmp" ? names.map((name) => name) : names);
});

test("what lies outside, and what is no glob, is told as such", async () => {
  expect(await found("/etc/*")).toContain("lies outside of /workspace");
  expect(await found("../../*")).toContain("lies outside of /workspace");
  expect(await found("a{")).toContain("is not closed");
});

test("a link is read where it leads into the workspace, and nowhere else", async () => {
  await link("../a.txt", "sub/inside");
  await link("../../secret", "sub/outside");
  await link("/proc/self/environ", "sub/environ");
  await link(home, "way");
  await link("sub", "folder");
  await link("loop", "loop");
  expect(await read("sub/inside")).toBe("a.txt");
  for (const path of ["sub/outside", "sub/environ", "way/secret", "loop", "sub", "nothing"])
    expect(await read(path)).toBeUndefined();
  expect(await found("**")).toEqual(expect.arrayContaining(["sub/inside", "sub/outside"]));
  expect(await found("**")).not.toEqual(expect.arrayContaining(["way/secret"]));
  expect(await found("folder/*")).toEqual([]);
});

test("a pipe is no file, and nobody waits for its other end", async () => {
  await promisify(execFile)("mkfifo", [join(workspace.root, "pipe")]);
  expect(await read("pipe")).toBeUndefined();
});

test("a file is written with its folders, in place of another, whole or not at all", async () => {
  const write = (path: string, text: string) =>
    writeFileInside(workspace, path, async (file) => void (await file.write(text)));
  expect(await write("new/folder/x", "one")).toBe(true);
  expect(await write("a.txt", "two")).toBe(true);
  expect(await read("new/folder/x")).toBe("one");
  expect(await read("a.txt")).toBe("two");
  const failing = writeFileInside(workspace, "a.txt", async () => Promise.reject(new Error("broke off")));
  await expect(failing).rejects.toThrow("broke off");
  expect(await read("a.txt")).toBe("two");
  expect(await write("sub", "x")).toBe(false);
  expect((await readdir(workspace.root)).toSorted()).toEqual(["a.txt", "new", "sub"]);
});

test("no link leads a writer out of the workspace", async () => {
  const write = (path: string) => writeFileInside(workspace, path, async (file) => void (await file.write("x")));
  await link(home, "way");
  await link("../../secret", "sub/outside");
  await link("/nonexistent", "dangling");
  for (const path of ["way/secret", "way/new", "dangling/x", "a.txt/x"]) expect(await write(path)).toBe(false);
  // The link itself is replaced.
  expect(await write("sub/outside")).toBe(true);
  expect(await readFile(join(home, "secret"), "utf8")).toBe("of the agent");
  expect((await readdir(home)).toSorted()).toEqual(["secret", "workspace"]);
});

test("a folder that becomes a link while it is written to leads nowhere", async () => {
  const racing = { stop: false };
  const target = join(workspace.root, "flip");
  await mkdir(join(home, "elsewhere"));
  const flip = (async () => {
    while (!racing.stop) {
      await rm(target, { recursive: true, force: true }).catch(() => {});
      await symlink(join(home, "elsewhere"), target).catch(() => {});
      await rm(target, { recursive: true, force: true }).catch(() => {});
      await mkdir(target).catch(() => {});
    }
  })();
  for (let turn = 0; turn < 150; turn++)
    await writeFileInside(workspace, `flip/${turn}`, async (file) => void (await file.write("x"))).catch(() => {});
  racing.stop = true;
  await flip;
  expect(await readdir(join(home, "elsewhere"))).toEqual([]);
});
