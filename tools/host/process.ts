import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface Call {
  /** Milliseconds until the process is killed; the answer is then code 124. */
  timeoutMs?: number;
  /** Given each line of both streams as it comes. */
  onLine?: (line: string) => void;
  /** Written to standard input, which is then closed. */
  input?: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

export interface Answer {
  /** Exit code; 127: there is no such program; 124: it was killed at its deadline; 137: something else killed it. */
  code: number;
  /** The last `keptLines` lines of each stream, trimmed at the end. */
  stdout: string;
  stderr: string;
}

const keptLines = 2_000;

/** Runs a program (never a shell line) to its end. A failure is an answer, not a throw. */
export async function run(command: readonly [string, ...string[]], call: Call = {}): Promise<Answer> {
  const [file, ...args] = command;
  const child = spawn(file, args, { cwd: call.cwd, env: call.env ?? process.env, stdio: ["pipe", "pipe", "pipe"] });
  const stdout = tail(child.stdout, call.onLine);
  const stderr = tail(child.stderr, call.onLine);
  child.stdin.on("error", () => {
    // It ended without reading all of its input, which is its right.
  });
  child.stdin.end(call.input ?? "");
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, call.timeoutMs ?? 600_000);
  const code = await new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (exit) => resolve(exit ?? 137));
  });
  clearTimeout(timer);
  if (code === 127) return { code, stdout: "", stderr: `${file}: not found` };
  return { code: late ? 124 : code, stdout: await stdout, stderr: await stderr };
}

async function tail(stream: NodeJS.ReadableStream, onLine?: (line: string) => void): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    onLine?.(line);
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
  }
  return lines.join("\n").trimEnd();
}

/** The last lines of what a failed program said, for a message: most programs put the reason there. */
export function lastWords(answer: Answer, lines = 8): string {
  return [answer.stdout, answer.stderr].join("\n").trim().split("\n").slice(-lines).join("\n");
}
