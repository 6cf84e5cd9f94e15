/** The server at rest, with one agent that waits: time from start to ready (first and later starts), memory and CPU time of it and of its PostgreSQL. */
import { setTimeout as sleep } from "node:timers/promises";
import { startPlatform } from "#testing/platform.ts";
import { cpuMs } from "./cpu.ts";
import { type BenchResult, median, round } from "./figures.ts";
import { residentMiB } from "#testing/memory.ts";

const restarts = 5;
const settleMs = 10_000;
const restMs = 30_000;
const aimPercent = 1;

export async function main(): Promise<BenchResult> {
  const began = performance.now();
  await using platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
  const first = performance.now() - began;
  const starts: number[] = [];
  for (let turn = 0; turn < restarts; turn++) {
    await platform.server.stop();
    const start = performance.now();
    await platform.restartServer();
    starts.push(performance.now() - start);
  }
  await sleep(settleMs);
  const server = await residentMiB(platform.server.pid);
  const postgresPid = await platform.postgresPid();
  const database = await residentMiB(postgresPid);
  const busy = await busyPercent({ server: platform.server.pid, agent: platform.agent.pid, postgres: postgresPid });
  const figures = {
    first_start_ms: round(first, 0),
    start_p50_ms: round(median(starts), 0),
    server_mib: round(server, 0),
    postgres_mib: round(database, 0),
    ...busy,
    aim_percent: aimPercent,
  };
  return { bench: "rest", ok: busy.server_cpu_percent + busy.postgres_cpu_percent <= aimPercent, figures };
}

/** Share of one core. */
async function busyPercent(pids: { server: number; agent: number; postgres: number }) {
  const used = async () => ({
    server: await cpuMs(pids.server),
    agent: await cpuMs(pids.agent, true),
    postgres: await cpuMs(pids.postgres, true),
  });
  const before = await used();
  await sleep(restMs);
  const after = await used();
  const percent = (name: keyof typeof before) => round((100 * (after[name] - before[name])) / restMs);
  return {
    server_cpu_percent: percent("server"),
    agent_cpu_percent: percent("agent"),
    postgres_cpu_percent: percent("postgres"),
  };
}
