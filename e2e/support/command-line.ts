/** `towline …` as a person types it: its own process, a configuration folder of its own, nothing inherited from the test. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const compiled = fileURLToPath(new URL("../../.towline/compiled", import.meta.url));

export interface Said {
  /** Exit status. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** The last line of standard output, parsed. */
  json(): unknown;
}

export interface CommandLine extends AsyncDisposable {
  /** Runs one command to its end. */
  run(...args: string[]): Promise<Said>;
  /** The same with something on standard input. */
  feed(input: string, ...args: string[]): Promise<Said>;
}

export interface Known {
  url?: string;
  token?: string;
  /** Folder of settings that are kept; an empty one where left out. */
  config?: string;
}

/** A person's terminal; with what is known already told by the environment. */
export async function commandLine(known: Known = {}): Promise<CommandLine> {
  const home = await mkdtemp(join(tmpdir(), "towline-person-"));
  const env = {
    PATH: process.env["PATH"] ?? "",
    // As the launcher does: a start takes half as long.
    NODE_COMPILE_CACHE: compiled,
    HOME: home,
    XDG_CONFIG_HOME: known.config ?? join(home, "config"),
    ...(known.url ? { TOWLINE_URL: known.url } : {}),
    ...(known.token ? { TOWLINE_TOKEN: known.token } : {}),
  };
  return {
    run: (...args) => runTowline(args, env, ""),
    feed: (input, ...args) => runTowline(args, env, input),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}

const deadlineMs = 300_000;

async function runTowline(args: readonly string[], env: Record<string, string>, input: string): Promise<Said> {
  const child = spawn(process.execPath, [main, ...args], { env, timeout: deadlineMs });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr, json: () => JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") };
}
