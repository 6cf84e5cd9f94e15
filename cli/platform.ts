/** Server and agent together, as `up` and `demo` run them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readConfig } from "#kernel/config.ts";
import { createLog } from "#kernel/log.ts";
import { type Server, startServer } from "../server/main.ts";
import { examineHost } from "../tools/host/doctor.ts";
import { buildWeb } from "../tools/web/build.ts";
import { accepted, tell } from "./output.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

export interface UpPlatform extends AsyncDisposable {
  url: string;
  adminToken: string | undefined;
}

/** The server in this process and one agent in another, so that a busy or dead agent never takes the server along. */
export async function startPlatform(settings: Record<string, string | undefined>): Promise<UpPlatform> {
  const server = await openServer(settings);
  const stopping = new AbortController();
  const agent = keepAgentRunning(
    { ...settings, TOWLINE_URL: server.url, TOWLINE_TOKEN: server.agentToken },
    stopping.signal,
  );
  return {
    url: server.url,
    adminToken: server.adminToken,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await agent;
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The control plane by the TOWLINE_* settings. */
export async function openServer(settings: Record<string, string | undefined>): Promise<Server> {
  const config = accepted(readConfig(settings));
  return startServer(config, createLog(config.logLevel), {
    web: await buildWeb(tell),
    examineMachine: () => examineHost(config.home),
  });
}

/** Far longer than its drain takes. One that is killed leaves containers, which its next start goes on with or removes. */
const agentPatienceMs = 60_000;

async function keepAgentRunning(settings: Record<string, string | undefined>, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    const child = startAgentProcess(settings);
    const stop = () => {
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), agentPatienceMs).unref();
    };
    stopping.addEventListener("abort", stop);
    await once(child, "exit");
    stopping.removeEventListener("abort", stop);
    if (stopping.aborted) return;
    tell("the agent ended; starting it again");
    await sleep(1_000, undefined, { signal: stopping }).catch(() => {});
  }
}

function startAgentProcess(settings: Record<string, string | undefined>): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("TOWLINE_"));
  const env = { ...Object.fromEntries(inherited), ...settings };
  // Its own process group: Ctrl-C reaches it through us, once, after the server knows that it stops.
  return spawn(process.execPath, [main, "agent", "--with-parent"], {
    env,
    stdio: ["pipe", "inherit", "inherit"],
    detached: true,
  });
}
