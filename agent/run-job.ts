import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Assignment, JobResult } from "#api/endpoints/agent.ts";
import { isRefusal } from "#api/errors.ts";
import type { AgentContext } from "./agent.ts";
import { runCommands } from "./command-work.ts";
import { type JobLog, openJobLog } from "./job-log.ts";
import { type EndReason, keepLease } from "./lease-keeper.ts";
import { maskText } from "./masking.ts";
import { untilAnswered } from "./passing.ts";
import { publish } from "./publish-work.ts";
import { runTest } from "./test-work.ts";
import { brokenJob } from "./trouble.ts";

/** All that the three kinds of work need. */
export interface JobContext {
  agent: AgentContext;
  assignment: Assignment;
  log: JobLog;
  /** The checkout. */
  workspace: string;
  /** Name of this attempt's container and Compose project: unique, and known after a crash. */
  name: string;
  /** The work must end at once; its reason is an `EndReason`. */
  ended: AbortSignal;
}

/** One attempt, from its lease to its report. Its containers are gone before the server hears of its end. */
export async function runJob(agent: AgentContext, assignment: Assignment): Promise<void> {
  const { client } = agent;
  const { job, attempt, token } = assignment;
  const params = { id: job };
  using keeper = keepLease(client, assignment, agent.abandon);
  const started = await untilAnswered(() => client.startJob({ params, body: { token } }), keeper.lost);
  if (!started || isRefusal(started)) return agent.log.info({ job, started }, "a job was not begun");
  const name = `tw-${agent.id}-${job.slice(0, 8)}-${attempt}`;
  const workspace = join(agent.home, "workspaces", name);
  const log = openJobLog(client, assignment, keeper.lost);
  const result = await work({ agent, assignment, log, workspace, name, ended: keeper.ended });
  await log.close();
  const finished = await untilAnswered(() => client.finishJob({ params, body: { token, result } }), keeper.lost);
  if (!finished || isRefusal(finished)) agent.log.warn({ job, finished }, "the end of a job was not taken");
  // Nobody waits for it, and large trees take long.
  await agent.leftovers.removeFolder(workspace);
}

async function work(context: JobContext): Promise<JobResult> {
  const { agent, assignment, ended, log } = context;
  const result = await doWork(context).catch((error: unknown) => brokenJob(agent.name, error));
  const final = ended.aborted ? endedEarly(ended.reason as EndReason, assignment) : result;
  if (!final.reason) return final;
  await log.say(`^^^ ${final.reason}`);
  // Outside of the log nothing else masks it.
  return { ...final, reason: maskText(Object.values(assignment.secrets), final.reason).slice(0, 2_000) };
}

async function doWork(context: JobContext): Promise<JobResult> {
  const { agent, assignment, workspace } = context;
  await mkdir(workspace, { recursive: true });
  using _ = await agent.checkouts.checkout(context);
  if (assignment.work.kind === "command") return await runCommands(context, assignment.work);
  if (assignment.work.kind === "test") return await runTest(context, assignment.work);
  return await publish(context, assignment.work);
}

function endedEarly(reason: EndReason, { timeoutMs }: Assignment): JobResult {
  if (reason === "timed-out")
    return { outcome: "timed-out", reason: `it ran longer than ${Math.round(timeoutMs / 1000)} s` };
  return { outcome: "canceled", reason: "it was canceled" };
}
