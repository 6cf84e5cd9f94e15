import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Assignment, Cache, JobResult } from "#api/endpoints/agent.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { AgentContext } from "./agent-context.ts";
import type { AttemptRecord, LateSecret } from "./attempt-records.ts";
import { type JobCache, restoreCache } from "./caches/cache-job.ts";
import { withContracts } from "./contracts/contracts.ts";
import { plainSpec } from "./command-spec.ts";
import { resumeCommands, runCommands } from "./command-work.ts";
import { type JobLog, openJobLog } from "./job-log.ts";
import { openJobBroker } from "./contracts/job-broker.ts";
import type { JobContext } from "./job-context.ts";
import { keepArtifacts } from "./keep-artifacts.ts";
import { type EndReason, keepLease, type LeaseKeeper } from "./lease-keeper.ts";
import { toolHome } from "./job-tool/job-tool.ts";
import { fetchWantedReports, reportPatterns } from "./junit/report-patterns.ts";
import { reportTests } from "./junit/report-tests.ts";
import { maskText } from "./masking.ts";
import { createNetwork } from "./networks.ts";
import { untilAnswered } from "./passing.ts";
import { annotateTests } from "./plugins/annotate-plugin.ts";
import { fetchWanted } from "./plugins/artifacts-plugin.ts";
import type { AnnotateConfig } from "./plugins/built-in.ts";
import { runComposePlugin } from "./plugins/compose-plugin.ts";
import { type Plugged, plugIn } from "./plugins/plug-in.ts";
import { publish } from "./publish-work.ts";
import { count } from "./tally.ts";
import { runTest } from "./test-work.ts";
import { brokenJob, troubleOf } from "./trouble.ts";

export const attemptName = (agent: string, { job, attempt }: Assignment) => `tw-${agent}-${job.slice(0, 8)}-${attempt}`;

/** One attempt, from its lease to its report. Nothing of it runs any more when the server hears of its end. */
export async function runJob(agent: AgentContext, assignment: Assignment): Promise<void> {
  const { client } = agent;
  const { job, token } = assignment;
  const startedAt = Date.now();
  using keeper = keepLease(client, assignment, agent.abandon);
  const begin = () => client.startJob({ params: { id: job }, body: { token } });
  const started = await untilAnswered(begin, keeper.lost);
  if (!started || isRefusal(started)) return agent.log.info({ job, started }, "a job was not begun");
  const log = openJobLog(client, assignment, keeper.lost);
  await runToReport(contextOf(agent, { assignment, log, keeper, startedAt }), keeper, begun);
}

/** One attempt whose container an earlier start of this agent made, from there to its report. */
export async function resumeJob(agent: AgentContext, record: AttemptRecord): Promise<void> {
  const { client, held } = agent;
  const { assignment, startedAt } = record;
  const { job, token } = assignment;
  using keeper = keepLease(client, assignment, agent.abandon, Date.now() - startedAt);
  const ask = () => client.resumeJob({ params: { id: job }, body: { token } });
  try {
    const standing = await untilAnswered(ask, keeper.lost);
    if (!standing || isRefusal(standing)) {
      agent.log.info({ job, standing }, "a job that was at work is another's now");
      return await removeAttempt(agent, attemptName(agent.id, assignment));
    }
    agent.log.info({ job }, "took up again a job that was at work");
    agent.tally.resumed++;
    const opening = Buffer.from(record.opening, "base64");
    const onSecret = (lateSecrets: LateSecret[]) =>
      agent.records.keep(attemptName(agent.id, assignment), { ...record, lateSecrets });
    const begunLog = { opening, ...standing, lateSecrets: record.lateSecrets, onSecret };
    const log = openJobLog(client, assignment, keeper.lost, begunLog);
    await runToReport(contextOf(agent, { assignment, log, keeper, startedAt }), keeper, resumed);
  } finally {
    held.delete(token);
  }
}

interface Given {
  assignment: Assignment;
  log: JobLog;
  keeper: LeaseKeeper;
  startedAt: number;
}

function contextOf(agent: AgentContext, { assignment, log, keeper, startedAt }: Given): JobContext {
  const name = attemptName(agent.id, assignment);
  return {
    ...{ agent, assignment, log, name, ended: keeper.ended, lent: {} },
    workspace: join(agent.home, "workspaces", name),
    async beginContainer() {
      const opened = log.opening(keep);
      async function keep(lateSecrets: LateSecret[]): Promise<void> {
        const opening = (await opened)?.toString("base64");
        if (opening !== undefined) await agent.records.keep(name, { assignment, opening, lateSecrets, startedAt });
      }
      await keep([]);
    },
  };
}

async function runToReport(
  context: JobContext,
  keeper: LeaseKeeper,
  how: (context: JobContext) => Promise<JobResult>,
): Promise<void> {
  const { agent, assignment, log, name } = context;
  const { job, token } = assignment;
  const { tally } = agent;
  tally.running++;
  const result = await work(context, how);
  await log.close();
  const report = () => agent.client.finishJob({ params: { id: job }, body: { token, result } });
  const finished = await untilAnswered(report, keeper.lost);
  const isTaken = finished !== undefined && !isRefusal(finished);
  if (!isTaken) agent.log.warn({ job, finished }, "the end of a job was not taken");
  count(tally.finished, isTaken ? result.outcome : "lost");
  tally.running--;
  // Nobody waits for it, and large trees take long.
  await removeAttempt(agent, name);
}

/** All that is left of an attempt. Last of it the record, without which nobody looks for the rest. */
async function removeAttempt({ leftovers, records, home }: AgentContext, name: string): Promise<void> {
  await leftovers.removeContainer(name);
  await Promise.all([
    leftovers.removeNetwork(name),
    leftovers.removeFolder(join(home, "workspaces", name)),
    leftovers.removeFolder(toolHome(home, name)),
  ]);
  await records.forget(name);
}

async function work(context: JobContext, how: (context: JobContext) => Promise<JobResult>): Promise<JobResult> {
  const { agent, assignment, ended, log } = context;
  const result = await how(context).catch((error: unknown) => brokenJob(agent.name, error));
  const reports = reportPatterns(assignment);
  if (reports.length > 0 && result.exitStatus !== undefined)
    await fetchWantedReports(context)
      .then(() => reportTests(context, reports, result))
      .catch((error: unknown) => log.say(`the reports of tests could not be read: ${troubleOf(error)}`));
  const unkept = await keepArtifacts(context, result);
  const whole = unkept && result.outcome === "passed" ? withoutArtifacts(unkept) : result;
  const final = ended.aborted ? endedEarly(ended.reason as EndReason, assignment) : whole;
  if (!final.reason) return final;
  await log.say(`^^^ ${final.reason}`);
  // Outside of the log nothing else masks it.
  return { ...final, reason: maskText(Object.values(assignment.secrets), final.reason).slice(0, 2_000) };
}

async function begun(opened: JobContext): Promise<JobResult> {
  const { agent, assignment, workspace, name } = opened;
  const { work } = assignment;
  await mkdir(workspace, { recursive: true });
  // It takes as long as a checkout does. A test has networks of its Compose file, and this one for the way to the broker.
  const network = work.kind === "publish" ? Promise.resolve() : createNetwork(agent.engine, name, agent.labels);
  network.catch(() => {});
  using _ = await agent.checkouts.checkout(opened);
  await network;
  if (work.kind === "publish") return await publish(opened, work);
  await using broker = await openJobBroker(opened);
  const context = { ...opened, lent: broker.variables };
  if (work.kind === "test")
    return await withCaches(context, [], () => withContracts(context, () => runTest(context, work)));
  const plugged = await plugIn(context, work);
  if ("outcome" in plugged) return plugged;
  const lacking = await fetchWanted(context);
  if (lacking) return lacking;
  return await withCaches(context, plugged.caches, async () => {
    const result = await runPlugged(context, work.commands, plugged);
    return annotated(context, plugged.annotates, result);
  });
}

/** The plugins that read what tests came to, also where the commands failed. */
async function annotated(
  context: JobContext,
  annotates: readonly AnnotateConfig[],
  result: JobResult,
): Promise<JobResult> {
  let whole = result;
  for (const [index, config] of annotates.entries()) {
    if (context.ended.aborted) return whole;
    const own = await annotateTests(context, config, index);
    if (whole.outcome === "passed") whole = own;
  }
  return whole;
}

/** Those of the step and of its plugins: brought back before the work, kept when it has passed. */
async function withCaches(
  context: JobContext,
  ofPlugins: readonly Cache[],
  run: () => Promise<JobResult>,
): Promise<JobResult> {
  const own = context.assignment.cache;
  const caches: JobCache[] = [];
  for (const cache of own ? [own, ...ofPlugins] : ofPlugins) caches.push(await restoreCache(context, cache));
  const result = await run();
  if (result.outcome === "passed") for (const cache of caches) await cache.save();
  return result;
}

async function runPlugged(context: JobContext, commands: readonly string[], plugged: Plugged): Promise<JobResult> {
  const { spec, hooks, composes, idle } = plugged;
  if (idle) return { outcome: "passed", exitStatus: 0 };
  if (composes.length > 0) return runComposePlugin(context, { commands, composes, hooks });
  return runCommands(context, hooks ? hooks("whole") : spec);
}

/** Its cache is not kept: what its key stood for at its beginning is not known any more. */
async function resumed(context: JobContext): Promise<JobResult> {
  const { agent, assignment } = context;
  const { work, build } = assignment;
  if (work.kind !== "command") throw new Error(`a job of kind ${work.kind} cannot be taken up again`);
  using _ = agent.checkouts.use(build.repository);
  await using broker = await openJobBroker(context);
  return await resumeCommands(
    { ...context, lent: broker.variables },
    plainSpec(work.image ?? agent.defaultImage, work.commands),
  );
}

function withoutArtifacts({ message, refused }: Refusal): JobResult {
  return { outcome: "failed", exitStatus: 1, reason: `its artifacts could not be kept: ${message} [${refused}]` };
}

function endedEarly(reason: EndReason, { timeoutMs }: Assignment): JobResult {
  if (reason === "timed-out")
    return { outcome: "timed-out", reason: `it ran longer than ${Math.round(timeoutMs / 1000)} s` };
  return { outcome: "canceled", reason: "it was canceled" };
}
