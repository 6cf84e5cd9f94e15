import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { type Cgi, type CgiRequest, type Git, GitError, type GitRequest, type GitResult } from "./contract.ts";
import { gitEnvironment, serviceSettings } from "./environment.ts";
import { createObjects } from "./objects.ts";

const defaultOutputLimit = 32 * 1024 * 1024;
const stderrLimit = 64 * 1024;
const defaultDeadlineMs = 30_000;
const killAfterMs = 5_000;

/** `git` as found on the PATH. `program` is another path to it. */
export function createGit(program = "git"): Git {
  const run = (request: GitRequest) => runToEnd(program, request);
  return {
    run,
    async read(request) {
      const { code, stdout, stderr } = await run(request);
      if (code !== 0) throw new GitError("failed", `git ${request.args[0]} ended with ${code}: ${stderr.trim()}`);
      return stdout;
    },
    objects: createObjects(program),
    serve: (request) => serve(program, request),
  };
}

async function runToEnd(program: string, request: GitRequest): Promise<GitResult> {
  const child = spawn(program, request.args, {
    env: gitEnvironment({ ...request.env, GIT_DIR: request.directory }),
    cwd: request.directory,
    detached: true,
    stdio: "pipe",
  });
  let broken: GitError["reason"] | undefined;
  const end = (reason: GitError["reason"]) => {
    broken ??= reason;
    killGroup(child, "SIGKILL");
  };
  const deadlineMs = request.deadlineMs ?? defaultDeadlineMs;
  const timer = setTimeout(() => end("deadline"), deadlineMs);
  const chunks: Buffer[] = [];
  let room = request.outputLimit ?? defaultOutputLimit;
  child.stdout.on("data", (chunk: Buffer) => {
    room -= chunk.length;
    if (room < 0) end("output-limit");
    else chunks.push(chunk);
  });
  const stderr = headOf(child);
  // A process that ends before it has read everything answers by its exit code.
  child.stdin.on("error", () => {});
  child.stdin.end(request.input);
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    const reason = broken ?? (signal ? "signal" : undefined);
    if (reason) throw new GitError(reason, `git ${request.args[0]} was ended: ${reason}`);
    return { code: code ?? -1, stdout: Buffer.concat(chunks), stderr: stderr() };
  } finally {
    clearTimeout(timer);
  }
}

function serve(program: string, { root, env, hooks, maxPackBytes, deadlineMs }: CgiRequest): Cgi {
  const child = spawn(program, ["http-backend"], {
    env: gitEnvironment(env, serviceSettings(hooks, maxPackBytes)),
    cwd: root,
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const channel = child.stdio[3] as Duplex;
  channel.on("error", () => {});
  child.stdin.on("error", () => {});
  const stderr = headOf(child);
  let closed = false;
  const kill = () => {
    if (closed) return;
    killGroup(child, "SIGTERM");
    // What nobody reads any more must not keep a pipe open. An iterator that stands still would keep the stream from flowing.
    child.stdout.removeAllListeners("readable").resume();
    setTimeout(() => closed || killGroup(child, "SIGKILL"), killAfterMs).unref();
  };
  const timer = setTimeout(kill, deadlineMs);
  const ended = new Promise<{ code: number; stderr: string }>((resolve) => {
    const done = (code: number | null) => {
      closed = true;
      clearTimeout(timer);
      resolve({ code: code ?? -1, stderr: stderr() });
    };
    // Every process of the group holds the channel, so `close` means that all of them have ended.
    child.once("close", done);
    child.once("error", () => done(-1));
  });
  return { input: child.stdin, output: child.stdout, channel, ended, kill };
}

/** Keeps the first part of standard error, at most 64 KiB. */
function headOf(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    if (text.length < stderrLimit) text += chunk.slice(0, stderrLimit - text.length);
  });
  return () => text;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself meanwhile.
  }
}
