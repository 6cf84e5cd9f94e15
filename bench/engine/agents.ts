/**
 * Agents that do nothing but ask, begin, wait and finish, in a process of their own. Argument: the order as JSON. Ends when its
 * input is closed; says by a line of JSON what it did.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import type { AgentsOrder, AgentsReport } from "./fleet-of-agents.ts";

const order = JSON.parse(process.argv[2] ?? "") as AgentsOrder;
const pool = new Pool(order.url, { connections: order.agents * 2, bodyTimeout: 60_000, headersTimeout: 60_000 });
const stopping = new AbortController();
const report: AgentsReport = { started: [], finished: 0, errors: 0, cpuMs: 0 };

async function post<T>(path: string, body: unknown): Promise<T> {
  const answer = await pool.request({
    method: "POST",
    path,
    headers: { authorization: `Bearer ${order.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: stopping.signal,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(text);
  return JSON.parse(text) as T;
}

interface Leased {
  assignment: { job: string; attempt: number; token: string } | null;
}

async function agent(number: number): Promise<void> {
  const who = { agent: `agent-${order.queue}-${number}`, instance: "bench", tags: { queue: order.queue } };
  while (!stopping.signal.aborted) {
    const token = crypto.randomUUID();
    const { assignment } = await post<Leased>("/api/agent/lease", { ...who, token, waitMs: 20_000 });
    if (!assignment) continue;
    const { job } = assignment;
    await post(`/api/agent/jobs/${job}/start`, { token });
    report.started.push([job, Date.now()]);
    await sleep(order.workMs);
    await post(`/api/agent/jobs/${job}/finish`, { token, result: { outcome: "passed", exitStatus: 0 } });
    report.finished += 1;
  }
}

async function untilStopped(number: number): Promise<void> {
  while (!stopping.signal.aborted)
    await agent(number).catch((error: unknown) => {
      if (stopping.signal.aborted) return undefined;
      report.errors += 1;
      process.stderr.write(`${String(error)}\n`);
      return sleep(100);
    });
}

process.stdin.resume().once("end", () => stopping.abort());
await Promise.all(Array.from({ length: order.agents }, (_, number) => untilStopped(number)));
await pool.destroy();
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ ...report, cpuMs: (user + system) / 1000 }));
