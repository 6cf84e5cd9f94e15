/**
 * How fast jobs come to agents: 500 agents that ask over HTTP, in a process of their own, and the real server with a real PostgreSQL.
 * - steady: builds of 20 jobs keep 200 jobs a second coming, while 10,000 others wait for agents that are not there
 * - burst: one build whose 500 jobs become runnable in two goes
 * - drain: the agents of the 10,000 come
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type BenchResult, quantile, round, say } from "./figures.ts";
import { type EngineBed, openEngineBed, type Usage } from "./engine/bed.ts";
import { type AgentsReport, startAgents } from "./engine/fleet-of-agents.ts";
import { createBuild, makeRepository, queueBuilds, runnableTimes, untilFinished } from "./engine/work.ts";

const agents = 500;
const jobsPerSecond = 200;
const steadySeconds = 20;
const aimP99Ms = 100;
const connectMs = 3_000;

/** Several repositories, as a fleet has: builds of one share its counter and the checks of its commit. */
const kinds = {
  steady: { repositories: 5, waves: [10, 10], queue: "default" },
  burst: { repositories: 1, waves: [249, 250], queue: "default" },
  drain: { repositories: 5, waves: [25, 25], queue: "deep" },
};
const namesOf = (kind: string, count: number) => Array.from({ length: count }, (_, number) => `${kind}-${number}`);
const deepBuilds = 200;

export async function main(): Promise<BenchResult> {
  await using bed = await openEngineBed();
  for (const [kind, { repositories, ...shape }] of Object.entries(kinds))
    for (const name of namesOf(kind, repositories)) await makeRepository(bed, name, shape);
  for (const name of namesOf("drain", kinds.drain.repositories))
    await queueBuilds(bed, name, deepBuilds / kinds.drain.repositories);
  say(`  ${deepBuilds * 50} jobs wait for agents that are not there`);
  const steady = await withAgents(bed, { queue: "default", workMs: 1_000 }, "steady", () => createSteadily(bed));
  const burst = await withAgents(bed, { queue: "default", workMs: 100 }, "burst", () => createBuild(bed, "burst-0"));
  const drain = await withAgents(bed, { queue: "deep", workMs: 0 }, "drain", async () => {});
  return {
    bench: "engine",
    ok: steady.p99 <= aimP99Ms && steady.rate >= jobsPerSecond * 0.95,
    figures: {
      ...{ started_p50_ms: steady.p50, started_p99_ms: steady.p99, aim_p99_ms: aimP99Ms, jobs_per_s: steady.rate },
      ...{ burst_p50_ms: burst.p50, burst_p99_ms: burst.p99, claims_per_s: drain.rate },
      ...costs("steady", steady),
      ...costs("drain", drain),
      agents_errors: steady.errors + burst.errors + drain.errors,
    },
  };
}

interface Phase {
  /** Milliseconds from runnable to started, as the agent knows it. */
  p50: number;
  p99: number;
  /** Jobs that were started a second, between the first and the last. */
  rate: number;
  errors: number;
  jobs: number;
  used: Usage;
  agentsMs: number;
}

/** The fleet comes, the work is made, and the fleet goes when all builds of the repository are finished. */
async function withAgents(
  bed: EngineBed,
  order: { queue: string; workMs: number },
  kind: string,
  makeWork: () => Promise<unknown>,
): Promise<Phase> {
  await bed.dearest();
  const before = await bed.usage();
  const fleet = startAgents({ ...order, url: bed.url, token: bed.agentToken, agents });
  if (order.queue === "default") await sleep(connectMs);
  await makeWork();
  await untilFinished(bed, kind, 600_000);
  const used = difference(await bed.usage(), before);
  const report = await fleet.stop();
  for (const line of await bed.dearest()) say(`    ${line}`);
  const phase = { ...(await phaseOf(bed, kind, report)), used };
  say(`  ${kind}: ${phase.jobs} jobs, ${phase.rate} a second, started after ${phase.p50} ms (p99 ${phase.p99})`);
  return phase;
}

async function phaseOf(bed: EngineBed, kind: string, report: AgentsReport): Promise<Omit<Phase, "used">> {
  const runnable = await runnableTimes(bed, kind);
  const waits = report.started.map(([job, at]) => at - (runnable.get(job) ?? Number.NaN));
  const times = report.started.map(([, at]) => at);
  const seconds = (Math.max(...times) - Math.min(...times)) / 1000;
  return {
    ...{ p50: round(quantile(waits, 0.5), 0), p99: round(quantile(waits, 0.99), 0) },
    ...{ rate: round(times.length / seconds, 0), jobs: times.length },
    ...{ errors: report.errors, agentsMs: report.cpuMs },
  };
}

async function createSteadily(bed: EngineBed): Promise<void> {
  const buildJobs = 20;
  const builds = (jobsPerSecond * steadySeconds) / buildJobs;
  const everyMs = (1000 * buildJobs) / jobsPerSecond;
  const began = performance.now();
  const made: Promise<unknown>[] = [];
  for (let each = 0; each < builds; each++) {
    await sleep(Math.max(0, began + each * everyMs - performance.now()));
    made.push(createBuild(bed, `steady-${each % kinds.steady.repositories}`));
  }
  await Promise.all(made);
}

function difference(after: Usage, before: Usage): Usage {
  return {
    serverMs: after.serverMs - before.serverMs,
    postgresMs: after.postgresMs - before.postgresMs,
    statementsMs: after.statementsMs - before.statementsMs,
    statements: after.statements - before.statements,
  };
}

function costs(name: string, { used, jobs, agentsMs }: Phase): Record<string, number> {
  return {
    [`${name}_server_cpu_ms_per_job`]: round(used.serverMs / jobs),
    [`${name}_postgres_cpu_ms_per_job`]: round(used.postgresMs / jobs),
    [`${name}_database_ms_per_job`]: round(used.statementsMs / jobs),
    [`${name}_statements_per_job`]: round(used.statements / jobs, 1),
    [`${name}_agents_cpu_ms_per_job`]: round(agentsMs / jobs),
  };
}
