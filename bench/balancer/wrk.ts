/** Closed-loop load by `wrk`, and what it cost the proxy. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { connectEngine } from "#drivers/engine/engine.ts";

const run = promisify(execFile);

export interface Round {
  requestsPerSecond: number;
  p99Ms: number;
  /** Time on processors that the proxy took for a request. */
  cpuUs: number;
}

interface Target {
  container: string;
  port: number;
}

export const connections = 32;

export async function loadRound({ container, port }: Target, seconds: number): Promise<Round> {
  const before = await cpuNs(container);
  const { stdout } = await run("wrk", [
    ...["--threads", "1", "--connections", String(connections), "--duration", `${seconds}s`, "--latency"],
    ...["--header", "Host: orders.test.localhost", `http://127.0.0.1:${port}/`],
  ]);
  const spent = (await cpuNs(container)) - before;
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`not all requests were answered:\n${stdout}`);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  const requestsPerSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  return {
    requestsPerSecond,
    p99Ms: millisecondsOf(/99%\s+(\S+)/.exec(stdout)?.[1] ?? ""),
    cpuUs: spent / 1000 / requests,
  };
}

function millisecondsOf(text: string): number {
  const [, value, unit] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(value) * { us: 0.001, ms: 1, s: 1000 }[(unit ?? "ms") as "us" | "ms" | "s"];
}

async function cpuNs(container: string): Promise<number> {
  const query = { stream: false, "one-shot": true };
  const path = `/containers/${container}/stats`;
  const stats = await connectEngine().json<{ cpu_stats: { cpu_usage: { total_usage: number } } }>(
    { method: "GET", path, query },
    { deadlineMs: 10_000 },
  );
  return stats.cpu_stats.cpu_usage.total_usage;
}
