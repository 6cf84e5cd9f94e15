/** Commands that run once, on any machine. */
import type { Limits } from "#drivers/engine/engine.ts";
import { type ContainerSpec, type JobResult, RuntimeError } from "../contract.ts";
import { isFailure } from "../docker/failure.ts";
import { type Cluster, poll, seen } from "./cluster.ts";
import { stop } from "./instances.ts";
import { tail } from "./logs.ts";
import { currentOf, instanceOf } from "./read.ts";
import { create, existing } from "./services.ts";

const tailLines = 200;
/** For what is to be done after the deadline: ending the job and reading its last lines. */
const lastMs = 15_000;

export async function runOnce(cluster: Cluster, spec: ContainerSpec, limits: Limits): Promise<JobResult> {
  const { ID: id } = (await existing(cluster, spec, limits)) ?? (await create(cluster, { spec, kind: "job" }, limits));
  try {
    return await poll(limits, () => resultOf(cluster, { id, name: spec.name }, limits));
  } catch (error) {
    if (!isFailure(error, "deadline") && !isFailure(error, "aborted")) throw error;
    throw await kill(cluster, { id, name: spec.name, error });
  }
}

async function resultOf(
  cluster: Cluster,
  { id, name }: { id: string; name: string },
  limits: Limits,
): Promise<JobResult | undefined> {
  const found = await seen(cluster, id, limits);
  const now = found && instanceOf(found, cluster.names.install);
  if (!now) throw new RuntimeError("not-found", `${name} was removed while it ran`);
  if (now.state !== "exited") return undefined;
  const task = currentOf(found);
  if (!task?.Status.ContainerStatus?.ContainerID)
    throw new RuntimeError("start-failed", `${name} could not be started: ${task?.Status.Err ?? "it was stopped"}`);
  if (now.exitCode === undefined) throw new RuntimeError("engine", `the machine on which ${name} ran was lost`);
  const lines = await tail(cluster, { seen: found, lines: tailLines }, limits);
  return { id, exitCode: now.exitCode, oomKilled: now.oomKilled, tail: lines };
}

async function kill(
  cluster: Cluster,
  { id, name, error }: { id: string; name: string; error: RuntimeError },
): Promise<RuntimeError> {
  const limits: Limits = { deadlineMs: lastMs };
  try {
    await stop(cluster, id, limits);
    const found = await seen(cluster, id, limits);
    const last = found ? await tail(cluster, { seen: found, lines: tailLines }, limits) : [];
    return new RuntimeError(error.code, `${name} did not end in time and was killed`, { tail: last, cause: error });
  } catch {
    return error;
  }
}
