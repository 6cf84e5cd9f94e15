/** Output of an instance, on whichever machine it ran. */
import type { EngineRequest, Limits } from "#drivers/engine/engine.ts";
import { linesOf, unframe } from "#drivers/engine/output.ts";
import { mostLines } from "../docker/host.ts";
import { translate } from "../docker/failure.ts";
import type { Cluster } from "./cluster.ts";
import type { Seen, Task } from "./read.ts";

/** Of the last starts, oldest first; what lay on a machine that is down cannot be had. */
export async function tail(
  cluster: Cluster,
  { seen: { tasks, down }, lines }: { seen: Pick<Seen, "tasks" | "down">; lines: number },
  limits: Limits,
): Promise<string[]> {
  const wanted = Math.min(lines, mostLines);
  const ran = tasks
    .filter(({ Status, NodeID }) => Status.ContainerStatus?.ContainerID && !down.has(NodeID ?? ""))
    .toSorted((left, right) => (left.CreatedAt < right.CreatedAt ? 1 : -1));
  const found: string[] = [];
  for (const task of ran) {
    if (found.length >= wanted) break;
    found.unshift(...(await linesOfTask(cluster, { task, wanted: wanted - found.length }, limits)));
  }
  return found;
}

async function linesOfTask(
  { host }: Cluster,
  { task, wanted }: { task: Task; wanted: number },
  limits: Limits,
): Promise<string[]> {
  const query = { stdout: true, stderr: true, tail: wanted };
  const request: EngineRequest = { method: "GET", path: `/tasks/${task.ID}/logs`, query };
  const bytes = await host.engine.bytes(request, limits).catch((error: unknown) => {
    throw translate(error);
  });
  return linesOf(unframe(bytes)).slice(-wanted);
}
