/** An agent in a process of its own, for tests that kill it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type AgentBed, image } from "./agent-bed.ts";

export interface AgentProcess extends AsyncDisposable {
  /** As a crash: no signal handler runs. */
  kill(): Promise<void>;
}

const fixture = fileURLToPath(new URL("fixture-agent.ts", import.meta.url));

export function startAgentProcess(bed: AgentBed): AgentProcess {
  const agent = spawn(process.execPath, [fixture, bed.home, bed.server.url, image], { stdio: "ignore" });
  const exited = once(agent, "exit");
  const kill = async () => {
    agent.kill("SIGKILL");
    await exited;
  };
  return { kill, [Symbol.asyncDispose]: kill };
}
