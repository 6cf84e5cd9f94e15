/** What can be had of containers on this machine only: a manager's engine speaks for its own containers and no others. */
import type { Limits } from "#drivers/engine/engine.ts";
import { type Program, type ProgramResult, RuntimeError, type Usage } from "../contract.ts";
import { execIn } from "../docker/exec.ts";
import { missing } from "../docker/host.ts";
import { usage as usageHere } from "../docker/usage.ts";
import { type Cluster, here, seen } from "./cluster.ts";
import { currentOf, instanceOf, type Task } from "./read.ts";

export async function usage(cluster: Cluster, ids: readonly string[], limits: Limits): Promise<Usage[]> {
  const own = await here(cluster, limits);
  const tasks = await Promise.all(ids.map((id) => runningTask(cluster, id, limits)));
  const containers = new Map<string, string>();
  for (const [index, task] of tasks.entries()) {
    const container = task?.NodeID === own ? task.Status.ContainerStatus?.ContainerID : undefined;
    if (container !== undefined) containers.set(container, ids[index] ?? "");
  }
  const found = await usageHere(cluster.host, [...containers.keys()], limits);
  return found.map((each) => ({ ...each, id: containers.get(each.id) ?? "" }));
}

export async function exec(
  cluster: Cluster,
  { id, program }: { id: string; program: Program },
  limits: Limits,
): Promise<ProgramResult> {
  const task = await runningTask(cluster, id, limits);
  const container = task?.Status.ContainerStatus?.ContainerID;
  if (container === undefined) throw missing(id);
  if (task?.NodeID !== (await here(cluster, limits)))
    throw new RuntimeError("engine", "it runs on another machine of the swarm, where this one can run no program");
  return execIn(cluster.host, { id: container, program }, limits);
}

async function runningTask(cluster: Cluster, id: string, limits: Limits): Promise<Task | undefined> {
  const found = await seen(cluster, id, limits);
  const running = found && instanceOf(found, cluster.names.install)?.state === "running";
  return running ? currentOf(found) : undefined;
}
