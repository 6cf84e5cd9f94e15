import type { JobResult, Work } from "#api/endpoints/agent.ts";
import { isRefusal } from "#api/errors.ts";
import { agentLabel } from "./containers.ts";
import { maskText } from "./masking.ts";
import type { JobContext } from "./run-job.ts";

/** Runs one service of the Compose file to its end, with what it depends on. */
export async function runTest(context: JobContext, work: Extract<Work, { kind: "test" }>): Promise<JobResult> {
  const { agent, assignment, workspace, name, ended, log } = context;
  await log.say(`~~~ ${work.compose}: ${work.run}`);
  const end = await agent.compose.run({
    project: name,
    directory: workspace,
    file: work.compose,
    service: work.run,
    env: { ...assignment.env, ...assignment.secrets },
    labels: { [agentLabel]: agent.id },
    cache: assignment.build.repository,
    signal: ended,
    deadlineMs: assignment.timeoutMs,
    onOutput: (bytes) => log.write(bytes),
  });
  if (isRefusal(end)) {
    // Compose quotes the line with its variables filled in.
    const message = maskText(Object.values(assignment.secrets), [end.message, end.fix].filter(Boolean).join(" "));
    return { outcome: "failed", reason: message.slice(0, 2000) };
  }
  if (end.ended !== "exited") return { outcome: end.ended === "timed-out" ? "timed-out" : "canceled" };
  const reason = end.outOfMemory ? { reason: "it ran out of memory" } : {};
  return { outcome: end.exitCode === 0 ? "passed" : "failed", exitStatus: end.exitCode, ...reason };
}
