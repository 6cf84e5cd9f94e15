/** A working copy by way of a mirror that stays: the second checkout of a repository only fetches what is new. */
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runAttached } from "#drivers/process/run-attached.ts";
import type { JobContext } from "./run-job.ts";

/** Fetches of one mirror in turn: two at once would fight over its lock files. */
const queues = new Map<string, Promise<void>>();

export async function checkout(context: JobContext): Promise<void> {
  const { agent, assignment, workspace, log } = context;
  const { repository, commit, branch } = assignment.build;
  await log.say(`~~~ Checkout of ${repository} ${branch} at ${commit.slice(0, 12)}`);
  const mirror = join(agent.home, "mirrors", `${repository}.git`);
  const url = `${agent.url}/git/${repository}.git`;
  const waiting = (queues.get(mirror) ?? Promise.resolve()).then(() => updateMirror(context, mirror, url));
  queues.set(
    mirror,
    waiting.catch(() => {}),
  );
  await waiting;
  await git(context, ["init", "--quiet", workspace]);
  // Objects are shared with the mirror, not copied; the origin is the server, so that relative submodules resolve there.
  await writeFile(join(workspace, ".git/objects/info/alternates"), `${join(mirror, "objects")}\n`);
  await git(context, ["-C", workspace, "remote", "add", "origin", url]);
  await git(context, ["-C", workspace, "checkout", "--quiet", "--detach", commit]);
  const hasSubmodules = await access(join(workspace, ".gitmodules")).then(
    () => true,
    () => false,
  );
  if (hasSubmodules)
    await git(context, ["-C", workspace, "submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1"]);
}

async function updateMirror(context: JobContext, mirror: string, url: string): Promise<void> {
  const { commit } = context.assignment.build;
  await mkdir(mirror, { recursive: true });
  await git(context, ["init", "--quiet", "--bare", mirror]);
  const here = await succeeds(context, ["-C", mirror, "cat-file", "-e", `${commit}^{commit}`]);
  if (!here)
    await git(context, ["-C", mirror, "fetch", "--quiet", "--no-tags", url, `+${commit}:refs/towline/${commit}`]);
}

async function git(context: JobContext, args: string[]): Promise<void> {
  const code = await runGit(context, args, (bytes) => context.log.write(bytes));
  if (code !== 0) throw new Error(`git ${args.find((arg) => !arg.startsWith("-")) ?? ""} ended with status ${code}`);
}

async function succeeds(context: JobContext, args: string[]): Promise<boolean> {
  return (await runGit(context, args, () => {})) === 0;
}

function runGit(
  { assignment, ended }: JobContext,
  args: string[],
  onOutput: (bytes: Buffer) => void | Promise<void>,
): Promise<number> {
  const { user, password } = assignment.credentials;
  const header = `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return runAttached({
    command: "git",
    args,
    signal: ended,
    onOutput,
    // The token goes by the environment: arguments can be read by every user of the machine.
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: "/nonexistent",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_CONFIG_COUNT: "4",
      GIT_CONFIG_KEY_0: "http.extraHeader",
      GIT_CONFIG_VALUE_0: header,
      GIT_CONFIG_KEY_1: "safe.directory",
      GIT_CONFIG_VALUE_1: "*",
      GIT_CONFIG_KEY_2: "gc.auto",
      GIT_CONFIG_VALUE_2: "0",
      GIT_CONFIG_KEY_3: "advice.detachedHead",
      GIT_CONFIG_VALUE_3: "false",
    },
  });
}
