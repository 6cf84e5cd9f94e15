/** The launcher against made-up `node` and `npm` programs: what it starts, when, and what it leaves behind. */
import { execFile } from "node:child_process";
import { access, chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";

const launcher = join(import.meta.dirname, "../towline");

/** Writes what it was asked, then does what the real one would leave: a module folder, or a `node` of version 24. */
const npm = `#!/bin/sh
echo "$@" >>"$CALLS"
[ ! -f "$CALLS.broken" ] || { echo "npm error network" >&2; exit 1; }
echo "on standard output"
while [ "$1" != --prefix ]; do shift; done
[ ! -f "$CALLS.slow" ] || sleep 0.3
mkdir -p "$2/node_modules/.bin"
[ "\${2%.new}" = "$2" ] || cp "$CALLS.node-24" "$2/node_modules/.bin/node"
`;

const node = (version: string) => `#!/bin/sh
[ "$1" != --version ] || { echo v${version}; exit; }
echo "node ${version} \${1##*/}" "\${2:-}" "\${3:-}"
`;

async function program(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o755);
}

/** A checkout with the launcher in it, and a PATH with the given node (none: undefined) and npm. */
async function checkout(version: string | undefined, { withNpm = true } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "towline-launcher-"));
  const [root, bin, calls] = [join(folder, "repo"), join(folder, "bin"), join(folder, "calls")];
  await mkdir(root);
  await mkdir(bin);
  await cp(launcher, join(root, "towline"));
  await writeFile(join(root, "package-lock.json"), "{}");
  await program(`${calls}.node-24`, node("24.9.9"));
  if (version) await program(join(bin, "node"), node(version));
  if (withNpm) await program(join(bin, "npm"), npm);
  for (const tool of ["cat", "cmp", "cp", "dirname", "mkdir", "mv", "readlink", "rm", "rmdir", "sh", "sleep", "uname"])
    await symlink(await which(tool), join(bin, tool));
  const ps = await which("ps").catch(() => undefined);
  if (ps) await symlink(ps, join(bin, "ps"));
  const start = (args: string[] = [], command = join(root, "towline")) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile(command, args, { cwd: "/", env: { PATH: bin, CALLS: calls } }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  const asked = async () => (await readFile(calls, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  return { folder, root, calls, start, asked, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

async function which(tool: string): Promise<string> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, tool);
    if (await exists(path)) return path;
  }
  throw new Error(`no ${tool} on this machine`);
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

test("a machine with Node 24 uses it, installs once, and hands all arguments on", async () => {
  await using here = await checkout("24.0.1");
  const first = await here.start(["status", "--json"]);
  expect(first.stdout).toBe("node 24.0.1 main.ts status --json\n");
  expect(first.stderr).toContain("installing the dependencies");
  expect((await here.start(["x"])).stderr).toBe("");
  expect(await here.asked()).toHaveLength(1);
  expect((await here.asked())[0]).toMatch(/^ci --include=dev --prefix .*repo --ignore-scripts/);
});

test("a machine with an older Node gets Node 24 from npm, and only once", async () => {
  await using here = await checkout("20.1.0");
  expect((await here.start()).stdout).toBe("node 24.9.9 main.ts  \n");
  const second = await here.start();
  expect(second).toEqual({ code: 0, stdout: "node 24.9.9 main.ts  \n", stderr: "" });
  expect(await here.asked()).toHaveLength(2);
});

test("it works through a symbolic link, from anywhere", async () => {
  await using here = await checkout("24.0.1");
  await mkdir(join(here.folder, "links"));
  await symlink("../repo/towline", join(here.folder, "links", "one"));
  await symlink("one", join(here.folder, "links", "two"));
  expect((await here.start([], join(here.folder, "links", "two"))).stdout).toContain("main.ts");
});

test("a changed lockfile installs again", async () => {
  await using here = await checkout("24.0.1");
  await here.start();
  await writeFile(join(here.root, "package-lock.json"), '{"changed":true}');
  expect((await here.start()).stderr).toContain("installing the dependencies");
  expect(await here.asked()).toHaveLength(2);
});

test("several first starts at once install once", async () => {
  await using here = await checkout("20.1.0");
  await writeFile(`${here.calls}.slow`, "");
  const starts = await Promise.all([here.start(), here.start(), here.start()]);
  expect(starts.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(await here.asked()).toHaveLength(2);
});

test("an installation that failed is no installation, and the next start tries again", async () => {
  await using here = await checkout("24.0.1");
  await writeFile(`${here.calls}.broken`, "");
  const failed = await here.start();
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toContain("npm could not install the dependencies");
  await rm(`${here.calls}.broken`);
  expect((await here.start()).code).toBe(0);
});

test("the lock of a killed start is cleared away", async () => {
  await using here = await checkout("24.0.1");
  const lock = join(here.root, ".towline", "install.lock");
  await mkdir(lock, { recursive: true });
  await writeFile(join(lock, "pid"), "999999999\n");
  expect((await here.start()).stderr).toContain("clearing up after an installation that was interrupted");
  expect(await exists(lock)).toBe(false);
});

test("without npm it says what is needed and how to get it", async () => {
  await using here = await checkout("20.1.0", { withNpm: false });
  const answer = await here.start();
  expect(answer).toMatchObject({ code: 1, stdout: "" });
  expect(answer.stderr).toContain("npm is needed to fetch Node 24");
});
