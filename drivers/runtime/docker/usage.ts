/** What containers have used, as the engine reads it from the kernel. */
import type { Limits } from "#drivers/engine/engine.ts";
import type { Usage } from "../contract.ts";
import { gone, type Host, inspected, json } from "./host.ts";

/** The part of `GET /containers/{id}/stats` that is used. */
interface Stats {
  /** The year 1 for a container that does not run. */
  read: string;
  cpu_stats: { cpu_usage: { total_usage: number } };
}

/** As many as are looked at in one go. */
const atOnce = 16;
const nanoseconds = 1e6;

export async function usage(host: Host, ids: readonly string[], limits: Limits): Promise<Usage[]> {
  const found: Usage[] = [];
  for (let at = 0; at < ids.length; at += atOnce) {
    const some = await Promise.all(ids.slice(at, at + atOnce).map((id) => usageOf(host, id, limits)));
    found.push(...some.flatMap((each) => each ?? []));
  }
  return found;
}

async function usageOf(host: Host, id: string, limits: Limits): Promise<Usage | undefined> {
  const since = await startOf(host, id, limits);
  if (since === undefined) return undefined;
  // One reading; without this the engine waits a second for another one to compare with.
  const query = { stream: false, "one-shot": true };
  const stats = await gone(() => json<Stats>(host, { method: "GET", path: `/containers/${id}/stats`, query }, limits));
  if (!stats || stats.read.startsWith("0001") || (await startOf(host, id, limits)) !== since) return undefined;
  return { id, cpuMs: stats.cpu_stats.cpu_usage.total_usage / nanoseconds, readAt: Date.parse(stats.read), since };
}

/** Nothing for one that does not run. */
async function startOf(host: Host, id: string, limits: Limits): Promise<string | undefined> {
  const found = await inspected(host, id, limits);
  return found?.State.Running === true ? found.State.StartedAt : undefined;
}
