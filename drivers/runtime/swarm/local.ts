/** What can be had of containers on this machine only: a manager's engine speaks for its own containers and no others. */
import type { Limits } from "#drivers/engine/engine.ts";
import { type Program, type ProgramResult, RuntimeError, type Usage } from "../contract.ts";
import { endIn, execIn } from "../docker/exec.ts";
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
  const container = await containerHere(cluster, id, limits);
  if (container === undefined) throw missing(id);
  return execIn(cluster.host, { id: container, program }, limits);
}

export async function endProgram(
  cluster: Cluster,
  { id, name }: { id: string; name: string },
  limits: Limits,
): Promise<void> {
  const container = await containerHere(cluster, id, limits);
  if (container !== undefined) await endIn(cluster.host, { id: container, name }, limits);
}

/** Nothing where the instance does not run. */
async function containerHere(cluster: Cluster, id: string, limits: Limits): Promise<string | undefined> {
  const task = await runningTask(cluster, id, limits);
  const container = task?.Status.ContainerStatus?.ContainerID;
  if (container !== undefined && task?.NodeID !== (await here(cluster, limits)))
    throw new RuntimeError("engine", "it runs on another machine of the swarm, where this one can run no program");
  return container;
}

async function runningTask(cluster: Cluster, id: string, limits: Limits): Promise<Task | undefined> {
  const found = await seen(cluster, id, limits);
  const running = found && instanceOf(found, cluster.names.install)?.state === "running";
  return running ? currentOf(found) : undefined;
}
