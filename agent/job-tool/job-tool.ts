/** The agent's command line inside a job: where its container finds the tool, and who answers it. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { JobContext } from "../job-context.ts";
import { answerCall } from "./commands.ts";
import type { ToolJob } from "./command.ts";
import { createJobVariables } from "./job-variables.ts";
import { listenForTool } from "./listen.ts";

/** Where a container sees the tool and its socket. */
const toolFolder = "/towline/bin";
const socketFolder = "/towline/job";

/** What a container of a job must be given so that its commands can call the agent. */
export interface JobTool extends AsyncDisposable {
  mounts: { from: string; to: string; readOnly: true }[];
  /** Lines of shell that put the tool first on PATH, whatever the image or the job's own variables say. */
  prelude: string[];
}

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Folder of what an attempt's tool needs on this machine. */
export const toolHome = (home: string, name: string) => join(home, "jobs", name);

/** Answers the tool of a job whose container sees the workspace there, until disposed. Without a tool nothing is mounted. */
export async function openJobTool(context: JobContext, seen: string): Promise<JobTool> {
  const { agent, assignment, name } = context;
  if (!agent.tool) return { mounts: [], prelude: [], [Symbol.asyncDispose]: async () => {} };
  const folder = join(toolHome(agent.home, name), "socket");
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const job = toolJob(context, seen);
  const listening = await listenForTool({ folder, answer: (call) => answerCall(job, call) });
  return {
    mounts: [
      { from: agent.tool, to: toolFolder, readOnly: true },
      { from: folder, to: socketFolder, readOnly: true },
    ],
    prelude: [`export PATH="${toolFolder}:\${PATH:-${usualPath}}"`],
    async [Symbol.asyncDispose]() {
      await listening[Symbol.asyncDispose]();
      agent.locks.releaseAll(assignment.token);
      await rm(toolHome(agent.home, name), { recursive: true, force: true });
    },
  };
}

export function toolJob({ agent, assignment, log, workspace }: JobContext, seen: string): ToolJob {
  const server = agent.serverFor(assignment);
  return {
    ...{ assignment, server, client: server.client },
    workspace: { root: workspace, seen },
    variables: createJobVariables({ ...assignment.env, ...assignment.secrets }),
    locks: agent.locks,
    hide: log.addSecret,
    maskText: log.maskText,
  };
}
