import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

export interface ProcessRequest {
  command: string;
  args: readonly string[];
  cwd?: string;
  /** The whole environment: nothing of this process's own is added. */
  env: Record<string, string>;
  /** Ends the process and all its children with SIGKILL. */
  signal: AbortSignal;
  onOutput: (bytes: Buffer, stream: "stdout" | "stderr") => void | Promise<void>;
}

/**
 * Runs "$@" and kills it, with all its children, when standard input closes. That pipe is held by this Node process, so
 * not even `kill -9` of it leaves a client behind that goes on to start containers.
 */
const lifeline = `
exec 3<&0
"$@" </dev/null 3<&- & work=$!
( cat <&3 >/dev/null 2>&1; kill -KILL 0 ) & watch=$!
exec 3<&-
wait "$work"; code=$?
kill "$watch" 2>/dev/null
exit "$code"
`;

/** Milliseconds that the reader of the output gets after a kill, in case it waits for a server that is gone. */
const lastOutputMs = 1_000;

/**
 * Runs a process to its end, or until `signal` ends it (answers as for an exit by SIGKILL, 137), and answers its exit
 * code. What it leaves running in its process group is killed then. Output is read no faster than `onOutput` takes it.
 * Throws when the working directory is missing or the reader throws; a command that is missing is exit code 127.
 */
export async function runAttached(request: ProcessRequest): Promise<number> {
  const child = spawn("/bin/sh", ["-c", lifeline, "sh", request.command, ...request.args], {
    cwd: request.cwd,
    env: request.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const gaveUp = Promise.withResolvers<void>();
  const kill = () => {
    killGroup(child.pid);
    setTimeout(gaveUp.resolve, lastOutputMs).unref();
  };
  const exited = once(child, "exit");
  const drained = Promise.all([
    pump(child.stdout, "stdout", request.onOutput),
    pump(child.stderr, "stderr", request.onOutput),
  ]);
  // A reader that throws would otherwise leave the process running, blocked on a full pipe.
  drained.catch(kill);
  request.signal.addEventListener("abort", kill);
  if (request.signal.aborted) kill();
  try {
    const [code] = (await exited) as [number | null];
    // A child that it left behind could hold the output open for ever.
    killGroup(child.pid);
    await Promise.race([drained, gaveUp.promise]);
    return code ?? 137;
  } finally {
    request.signal.removeEventListener("abort", kill);
    child.stdin.destroy();
  }
}

async function pump(stream: Readable, name: "stdout" | "stderr", onOutput: ProcessRequest["onOutput"]): Promise<void> {
  for await (const bytes of stream) await onOutput(bytes as Buffer, name);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself meanwhile.
  }
}
