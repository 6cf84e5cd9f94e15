/** Child processes of the platform, started and killed as a person or a crash would. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../cli/main.ts", import.meta.url));

export interface TowlineProcess extends AsyncDisposable {
  pid: number;
  /** Standard error so far. */
  said(): string;
  /** As a crash: no signal handler runs. */
  kill(): Promise<void>;
  /** As a person: waits until it has stopped. */
  stop(): Promise<void>;
  running(): boolean;
}

/** Starts `towline …` with exactly these settings; its output is appended to `logFile`. */
export function startTowline(args: readonly string[], env: Record<string, string>, logFile: string): TowlineProcess {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("TOWLINE_") && !name.startsWith("VITEST")),
  );
  const child: ChildProcess = spawn(process.execPath, [main, ...args], {
    env: { ...inherited, ...env },
    // The input stays open as long as we live.
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const log = createWriteStream(logFile, { flags: "a" });
  let said = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-200_000);
    log.write(bytes);
  });
  child.stdout?.pipe(log, { end: false });
  const exited = once(child, "exit");
  const running = () => child.exitCode === null && child.signalCode === null;
  const end = async (signal: NodeJS.Signals) => {
    if (running()) child.kill(signal);
    await exited;
    log.end();
  };
  return {
    pid: child.pid ?? 0,
    said: () => said,
    running,
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    [Symbol.asyncDispose]: () => end("SIGTERM"),
  };
}
