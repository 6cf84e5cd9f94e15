import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { tell } from "../output.ts";
import { untilSignal } from "../signals.ts";
import { prepareHost, type PrepareFlags } from "../prepare.ts";
import { openServer } from "./server.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

/** The server in this process and one agent in another, so that a busy or dead agent never takes the server along. */
export async function runUp(flags: PrepareFlags): Promise<void> {
  await prepareHost(flags);
  await using server = await openServer();
  const stopping = new AbortController();
  const agent = keepAgentRunning({ url: server.url, token: server.agentToken }, stopping.signal);
  await untilSignal();
  tell("stopping: what is at work is finished or handed over; balancer and instances go on serving");
  stopping.abort();
  await agent;
}

async function keepAgentRunning(session: { url: string; token: string }, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    const child = startAgentProcess(session);
    const stop = () => child.kill("SIGTERM");
    stopping.addEventListener("abort", stop);
    await once(child, "exit");
    stopping.removeEventListener("abort", stop);
    if (stopping.aborted) return;
    tell("the agent ended; starting it again");
    await sleep(1_000, undefined, { signal: stopping }).catch(() => {});
  }
}

function startAgentProcess({ url, token }: { url: string; token: string }): ChildProcess {
  const env = { ...process.env, TOWLINE_URL: url, TOWLINE_TOKEN: token };
  // Its own process group: Ctrl-C reaches it through us, once, after the server knows that it stops.
  return spawn(process.execPath, [main, "agent", "--with-parent"], {
    env,
    stdio: ["pipe", "inherit", "inherit"],
    detached: true,
  });
}
