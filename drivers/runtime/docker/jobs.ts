/** Commands that run once. */
import type { Limits } from "#drivers/engine/engine.ts";
import { type ContainerSpec, type JobResult, RuntimeError } from "../contract.ts";
import { create, existing, launch } from "./containers.ts";
import { isFailure } from "./failure.ts";
import { gone, type Host, inspected, json, tail } from "./host.ts";

const tailLines = 200;
/** For what is to be done after the deadline: ending the job and reading its last lines. */
const lastMs = 10_000;

export async function runOnce(host: Host, spec: ContainerSpec, limits: Limits): Promise<JobResult> {
  const found = (await existing(host, spec, limits)) ?? (await create(host, { spec, kind: "job" }, limits));
  const id = found.Id;
  try {
    // A start that is given up may still come: the engine does one after the other, so the kill finds it.
    if (found.State.Status === "created") await launch(host, { spec, id }, limits);
    await json(host, { method: "POST", path: `/containers/${id}/wait` }, limits);
  } catch (error) {
    if (!isFailure(error, "deadline") && !isFailure(error, "aborted")) throw error;
    throw await kill(host, { id, name: spec.name, error });
  }
  const ended = await inspected(host, id, limits);
  if (!ended) throw new RuntimeError("not-found", `${spec.name} was removed while it ran`);
  const lines = await tail(host, { id, lines: tailLines }, limits);
  return { id, exitCode: ended.State.ExitCode, oomKilled: ended.State.OOMKilled, tail: lines };
}

async function kill(
  host: Host,
  { id, name, error }: { id: string; name: string; error: RuntimeError },
): Promise<RuntimeError> {
  const limits: Limits = { deadlineMs: lastMs };
  try {
    // An answer of "not running" is as good.
    await gone(() => json(host, { method: "POST", path: `/containers/${id}/kill` }, limits)).catch(() => undefined);
    const last = await tail(host, { id, lines: tailLines }, limits);
    return new RuntimeError(error.code, `${name} did not end in time and was killed`, { tail: last, cause: error });
  } catch {
    return error;
  }
}
