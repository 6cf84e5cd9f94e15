import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Assignment, JobResult } from "#api/endpoints/agent.ts";
import { isRefusal } from "#api/errors.ts";
import type { AgentContext } from "./agent.ts";
import { checkout } from "./checkout.ts";
import { runCommands } from "./command-work.ts";
import { type JobLog, openJobLog } from "./job-log.ts";
import { type EndReason, keepLease } from "./lease-keeper.ts";
import { publish } from "./publish-work.ts";
import { runTest } from "./test-work.ts";

/** All that the three kinds of work need. */
export interface JobContext {
  agent: AgentContext;
  assignment: Assignment;
  log: JobLog;
  /** The checkout. */
  workspace: string;
  /** Name of this attempt's container, Compose project and image tag: unique, and known after a crash. */
  name: string;
  ended: AbortSignal;
}

/** One attempt, from its lease to its report. What it made is gone before the server hears of its end. */
export async function runJob(agent: AgentContext, assignment: Assignment): Promise<void> {
  const { job, attempt, token } = assignment;
  using keeper = keepLease(agent.client, assignment, agent.abandon);
  const { ended } = keeper;
  const name = `tw-${agent.id}-${job.slice(0, 8)}-${attempt}`;
  const workspace = join(agent.home, "workspaces", name);
  const started = await retry(() => agent.client.startJob({ params: { id: job }, body: { token } }), ended);
  if (!started) return;
  const log = openJobLog(agent.client, assignment, leaseLost(ended));
  const result = await work({ agent, assignment, log, workspace, name, ended });
  await rm(workspace, { recursive: true, force: true }).catch((error: unknown) =>
    agent.log.warn({ err: error }, "a workspace was not removed"),
  );
  await log.close();
  if (ended.reason === "lease-lost" || ended.reason === "abandoned") return;
  await retry(() => agent.client.finishJob({ params: { id: job }, body: { token, result } }), leaseLost(ended));
}

async function work(context: JobContext): Promise<JobResult> {
  const { ended, log } = context;
  const result = await doWork(context).catch((error: unknown): JobResult => ({
    outcome: "failed",
    reason: messageOf(error),
  }));
  const final = ended.aborted ? endedEarly(ended.reason as EndReason, context) : result;
  if (final.reason) await log.say(`^^^ ${final.reason}`);
  return final;
}

async function doWork(context: JobContext): Promise<JobResult> {
  const { work: kind } = context.assignment;
  await checkout(context);
  if (kind.kind === "command") return runCommands(context, kind);
  if (kind.kind === "test") return runTest(context, kind);
  return publish(context, kind);
}

function endedEarly(reason: EndReason, { assignment }: JobContext): JobResult {
  if (reason === "timed-out")
    return { outcome: "timed-out", reason: `it ran longer than ${Math.round(assignment.timeoutMs / 1000)} s` };
  return { outcome: "canceled", reason: reason === "canceled" ? "canceled" : "the agent stopped" };
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 2000);
}

/** Fires only when nothing more may be said about the job: its last words still go out after a cancel or a timeout. */
function leaseLost(ended: AbortSignal): AbortSignal {
  const control = new AbortController();
  const check = () => {
    if (ended.reason === "lease-lost" || ended.reason === "abandoned") control.abort();
  };
  ended.addEventListener("abort", check);
  return control.signal;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** Repeats the call while the server cannot be reached; false when it refused or the signal fired. */
async function retry(call: () => Promise<object>, signal: AbortSignal): Promise<boolean> {
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    const answer = await call();
    if (!isRefusal(answer)) return true;
    if (
      answer.refused !== "server.unreachable" &&
      answer.refused !== "server.stopping" &&
      answer.refused !== "server.failed"
    )
      return false;
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
  return false;
}
