import { readFile, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { refuse, type Refusal } from "#api/errors.ts";
import { writeDurably } from "./files.ts";
import { startOf } from "./process-facts.ts";

/** How long a new process waits for the one before it, which may be ending its work. */
const waitMs = 20_000;

/**
 * One process at a time behind this file. The lock of a process that is gone is taken over, so a crash leaves nothing to clear
 * away by hand. `holder` names who has it in the refusal.
 */
export async function lockProcess(path: string, holder: string): Promise<AsyncDisposable | Refusal> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const identity = await readFile(path, "utf8").catch(() => "");
    if (!identity || !(await isRunning(identity))) break;
    if (Date.now() > deadline) return refuse("conflict", `${holder} (process ${identity.split(" ")[0]})`);
    await sleep(100);
  }
  await writeDurably(path, await identityOf(process.pid));
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** Whether a process is behind it now. */
export async function isLockHeld(path: string): Promise<boolean> {
  const identity = await readFile(path, "utf8").catch(() => "");
  return identity !== "" && (await isRunning(identity));
}

async function isRunning(identity: string): Promise<boolean> {
  return (await identityOf(Number(identity.split(" ")[0]))) === identity;
}

/** Pid and start time together: a pid alone may have been given to another process since. */
async function identityOf(pid: number): Promise<string> {
  return `${pid} ${(await startOf(pid)) ?? "gone"}`;
}
