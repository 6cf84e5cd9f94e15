import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

export interface AgentsOrder {
  url: string;
  token: string;
  agents: number;
  queue: string;
  /** How long each job takes. */
  workMs: number;
}

export interface AgentsReport {
  /** Ids of jobs with the time when the server had answered their start, in milliseconds. */
  started: [job: string, at: number][];
  finished: number;
  errors: number;
  cpuMs: number;
}

export interface FleetOfAgents {
  /** Ends the agents after what they are at, and tells what they did. */
  stop(): Promise<AgentsReport>;
}

const program = fileURLToPath(new URL("agents.ts", import.meta.url));

export function startAgents(order: AgentsOrder): FleetOfAgents {
  const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const said = text(child.stdout);
  return {
    async stop() {
      child.stdin.end();
      await exited;
      return JSON.parse(await said) as AgentsReport;
    },
  };
}
