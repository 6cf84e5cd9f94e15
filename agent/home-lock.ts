import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { refuse, type Refusal } from "#api/errors.ts";
import { writeDurably } from "#kernel/files.ts";

const run = promisify(execFile);

/** How long a new agent waits for the one before it, which may be ending its jobs. */
const waitMs = 20_000;

/** One agent at a time in a home: a second would remove the containers of the first as leftovers. */
export async function lockHome(home: string): Promise<AsyncDisposable | Refusal> {
  const path = join(home, "agent.lock");
  const deadline = Date.now() + waitMs;
  for (;;) {
    const holder = await readFile(path, "utf8").catch(() => "");
    if (!holder || !(await isRunning(holder))) break;
    if (Date.now() > deadline)
      return refuse("conflict", `another agent works in ${home} (process ${holder.split(" ")[0]})`);
    await sleep(100);
  }
  await writeDurably(path, await identityOf(process.pid));
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

async function isRunning(holder: string): Promise<boolean> {
  return (await identityOf(Number(holder.split(" ")[0]))) === holder;
}

/** Pid and start time together: a pid alone may have been given to another process since. */
async function identityOf(pid: number): Promise<string> {
  const { stdout } = await run("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return `${pid} ${stdout.trim()}`;
}
