/** The server at rest: time from start to ready (first and later starts), memory of the server and of its PostgreSQL. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { startPlatform } from "#testing/platform.ts";
import { type BenchResult, median, round } from "./figures.ts";

const restarts = 5;
const settleMs = 5_000;

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
  const database = await residentMiB(await platform.postgresPid());
  const figures = {
    first_start_ms: round(first, 0),
    start_p50_ms: round(median(starts), 0),
    server_mib: round(server, 0),
    postgres_mib: round(database, 0),
  };
  return { bench: "rest", ok: true, figures };
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
}
