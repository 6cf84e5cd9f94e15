/** The agent's command line inside a job: where its container finds the tool, and who answers it. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobContext } from "../job-context.ts";
import { answerCall } from "./commands.ts";
import type { ToolJob } from "./command.ts";
import {
  changesScript,
  createJobVariables,
  type JobVariables,
  type VariableChange,
  variableChanges,
} from "./job-variables.ts";
import { listenForTool } from "./listen.ts";
import { toolNames } from "./tool-binary.ts";

/** Where a container sees the tool and its socket. */
const toolFolder = "/towline/bin";
const socketFolder = "/towline/job";

/** What a container of a job must be given so that its commands can call the agent. */
export interface JobTool extends AsyncDisposable {
  mounts: { from: string; to: string; readOnly: true }[];
  /** The same programs where every image's PATH leads, for a container whose commands nobody can begin with `prelude`. */
  programs: { from: string; to: string }[];
  /** Lines of shell that put the tool first on PATH, whatever the image or the job's own variables say. */
  prelude: string[];
}

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Folder of what an attempt's tool needs on this machine. */
export const toolHome = (home: string, name: string) => join(home, "jobs", name);

/** Answers the tool of a job whose container sees the workspace there, until disposed. Without a tool nothing is mounted. */
export async function openJobTool(context: JobContext, seen: string): Promise<JobTool> {
  const { agent, assignment } = context;
  const { tool } = agent;
  if (!tool) return { mounts: [], programs: [], prelude: [], [Symbol.asyncDispose]: async () => {} };
  const folder = socketHome(context);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const job = { ...toolJob(context, seen), variables: await variablesOf(context) };
  const listening = await listenForTool({ folder, answer: (call) => answerCall(job, call) });
  return {
    mounts: [
      { from: tool, to: toolFolder, readOnly: true },
      { from: folder, to: socketFolder, readOnly: true },
    ],
    programs: toolNames.map((each) => ({ from: join(tool, each), to: `/usr/bin/${each}` })),
    prelude: [`export PATH="${toolFolder}:\${PATH:-${usualPath}}"`],
    async [Symbol.asyncDispose]() {
      await listening[Symbol.asyncDispose]();
      agent.locks.releaseAll(assignment.token);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const socketHome = ({ agent, name }: JobContext) => join(toolHome(agent.home, name), "socket");

/** With what was changed in an earlier container of the attempt, or before the agent was killed. */
async function variablesOf(context: JobContext): Promise<JobVariables> {
  const { agent, assignment, name } = context;
  const file = join(toolHome(agent.home, name), "variables.json");
  const text = await readFile(file, "utf8").catch(() => "[]");
  const script = join(socketHome(context), "variables.sh");
  const before = variableChanges.parse(JSON.parse(text));
  const write = (changes: readonly VariableChange[]) => replace(script, changesScript(changes, toolFolder));
  if (before.length > 0) await write(before);
  return createJobVariables(
    { ...assignment.env, ...assignment.secrets },
    {
      before,
      async onChange(changes) {
        await replace(file, JSON.stringify(changes));
        await write(changes);
      },
    },
  );
}

/** Whoever reads it finds the old or the new, and whatever user a container has may read. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o644 });
  await rename(`${path}.new`, path);
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
