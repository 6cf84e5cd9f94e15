import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createGit } from "./binary.ts";

const run = promisify(execFile);

/** A repository, and a `git` that notes its starts. */
async function openScene() {
  const root = await mkdtemp(join(tmpdir(), "towline-objects-"));
  const directory = join(root, "orders.git");
  const program = join(root, "git");
  await writeFile(program, `#!/bin/sh\necho "$@" >> ${root}/starts\nexec git "$@"\n`);
  await chmod(program, 0o755);
  const init = () => run("git", ["init", "--quiet", "--bare", directory]);
  await init();
  const put = async (text: string, ref?: string) => {
    const { stdout } = await run("/bin/sh", ["-c", 'printf %s "$1" | git hash-object -w --stdin', "sh", text], {
      cwd: directory,
    });
    const id = stdout.trim();
    if (ref) await run("git", ["tag", "--force", ref, id], { cwd: directory });
    return id;
  };
  const git = createGit(program);
  return {
    ...{ directory, init, put },
    objects: async (names: string[], limit = 1_000) =>
      (await git.objects({ directory, names, limit })).map((each) => each?.content.toString()),
    starts: async () => (await run("/bin/sh", ["-c", `wc -l < ${root}/starts`])).stdout.trim(),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

test("one process answers one question after the other, and sees what was written since", async () => {
  await using scene = await openScene();
  const id = await scene.put("one", "v1");
  expect(await scene.objects([id, "v1", "v2"])).toEqual(["one", "one", undefined]);
  await scene.put("two", "v1");
  const asked = [scene.objects(["v1"]), scene.objects(["nothing"]), scene.objects([id, "v1"])];
  expect(await Promise.all(asked)).toEqual([["two"], [undefined], ["one", "two"]]);
  expect(await scene.starts()).toBe("1");
});

test("an object that is too large is refused, and the next question is answered", async () => {
  await using scene = await openScene();
  await scene.put("x".repeat(2_000), "large");
  await scene.put("small", "small");
  await expect(scene.objects(["small", "large"])).rejects.toMatchObject({ reason: "output-limit" });
  expect(await scene.objects(["small"])).toEqual(["small"]);
});

test("a repository that was made anew under its name is read anew", async () => {
  await using scene = await openScene();
  const id = await scene.put("old");
  expect(await scene.objects([id])).toEqual(["old"]);
  await rm(scene.directory, { recursive: true });
  await scene.init();
  expect(await scene.objects([id])).toEqual([undefined]);
});

test("a folder that is not there, or no repository, fails", async () => {
  await using scene = await openScene();
  await rm(scene.directory, { recursive: true });
  await expect(scene.objects(["main"])).rejects.toMatchObject({ code: "ENOENT" });
  await run("mkdir", [scene.directory]);
  await expect(scene.objects(["main"])).rejects.toMatchObject({ reason: "failed" });
});

test("a process that was killed since its last answer is started again", async () => {
  await using scene = await openScene();
  const id = await scene.put("one");
  await scene.objects([id]);
  const { stdout } = await run("pgrep", ["-f", "^git cat-file --batch"]);
  const own = [];
  for (const pid of stdout.split("\n").filter(Boolean)) {
    const cwd = await run("readlink", [`/proc/${pid}/cwd`]).catch(() => ({ stdout: "" }));
    if (cwd.stdout.trim() === scene.directory) own.push(Number(pid));
  }
  expect(own).toHaveLength(1);
  process.kill(own[0] ?? 0, "SIGKILL");
  expect(await scene.objects([id])).toEqual(["one"]);
});
