import type { JobResult, Work } from "#api/endpoints/agent.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { ComposeEnd } from "#drivers/compose/contract.ts";
import type { JobContext } from "./job-context.ts";
import { memoryReason } from "./memory-reason.ts";

/** Runs one service of the Compose file to its end, with what it depends on. */
export async function runTest(context: JobContext, work: Extract<Work, { kind: "test" }>): Promise<JobResult> {
  const { agent, assignment, workspace, name, lent, ended, log } = context;
  await log.say(`~~~ ${work.compose}: ${work.run}`);
  const running = agent.compose.run({
    project: name,
    directory: workspace,
    file: work.compose,
    service: work.run,
    env: { ...lent, ...assignment.env, ...assignment.secrets },
    labels: agent.labels,
    cache: assignment.build.repository,
    signal: ended,
    // The lease's own clock ends it first.
    deadlineMs: assignment.timeoutMs + 60_000,
    onOutput: (bytes) => log.write(bytes),
  });
  const end = await running.catch((error: unknown) => {
    agent.leftovers.keepProject(name);
    throw error;
  });
  if (!isRefusal(end) && !end.cleaned) agent.leftovers.keepProject(name);
  return verdictOf(end);
}

export function verdictOf(end: ComposeEnd | Refusal): JobResult {
  if (isRefusal(end)) return { outcome: "failed", reason: [end.message, end.fix].filter(Boolean).join(" ") };
  if (end.ended !== "exited") return { outcome: end.ended === "timed-out" ? "timed-out" : "canceled" };
  const reason = memoryReason(end);
  const outcome = end.exitCode === 0 ? "passed" : "failed";
  return { outcome, exitStatus: end.exitCode, ...(reason === undefined ? {} : { reason }) };
}
