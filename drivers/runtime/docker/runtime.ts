/** Instances as containers of one Docker Engine, 20.10 or later. */
import type { Limits } from "#drivers/engine/engine.ts";
import { exitWords, type Instance, type InstanceSpec, type Runtime, RuntimeError } from "../contract.ts";
import { create, existing, launch } from "./containers.ts";
import {
  createHost,
  type DockerRuntimeOptions,
  gone,
  type Host,
  json,
  limitsOf,
  missing,
  own,
  ownId,
  tail,
} from "./host.ts";
import { endProgram, exec } from "./exec.ts";
import { heldImages, hold, removeImage } from "./images.ts";
import { runOnce } from "./jobs.ts";
import { label } from "./names.ts";
import { ensureNetwork, environmentsWith, removeNetwork, removeVolume, removeVolumes } from "./networks.ts";
import { pull } from "./pull.ts";
import type { Listed } from "./read.ts";
import { callersLabels } from "./spec.ts";
import { usage } from "./usage.ts";

export type { DockerRuntimeOptions } from "./host.ts";

const second = 1_000;
const minute = 60_000;
const tailLines = 50;
/** Containers looked at in one go: the engine answers each at its own pace. */
const atOnce = 16;

export function createDockerRuntime(options: DockerRuntimeOptions): Runtime {
  const host = createHost(options);
  return {
    ensureNetwork: (environment, call) => ensureNetwork(host, environment, limitsOf(call, 30 * second)),
    environments: (call) => environmentsWith(host, "bridge", limitsOf(call, 20 * second)),
    removeEnvironment: (environment, call) =>
      removeEnvironment(host, { environment, volumes: call.volumes }, limitsOf(call, 30 * second)),
    async pull(image, call = {}) {
      const { auth, onProgress } = call;
      const request = { image, ...(auth ? { auth } : {}), ...(onProgress ? { onProgress } : {}) };
      const limits = limitsOf(call, 10 * minute);
      await pull(host, request, limits);
      await hold(host, image, limits);
    },
    removeImage: (image, call) => removeImage(host, image, limitsOf(call, minute)),
    heldImages: (call) => heldImages(host, limitsOf(call, 20 * second)),
    start: (spec, call) => start(host, spec, limitsOf(call, minute)),
    runOnce: (spec, call) => runOnce(host, spec, limitsOf(call, 10 * minute)),
    inspect: (id, call) => own(host, id, limitsOf(call, 10 * second)),
    list: (labels, call) => list(host, labels, limitsOf(call, 20 * second)),
    usage: (asked, call) => usage(host, asked, limitsOf(call, 10 * second)),
    stop: (id, call) => stop(host, { id, graceMs: call.graceMs }, limitsOf(call, call.graceMs + 30 * second)),
    remove: (id, call) => remove(host, id, limitsOf(call, 30 * second)),
    exec: (id, program, call) => exec(host, { id, program }, limitsOf(call, 10 * minute)),
    endProgram: (id, name, call) => endProgram(host, { id, name }, limitsOf(call, 30 * second)),
    removeVolume: (environment, volume, call) =>
      removeVolume(host, { environment, volume }, limitsOf(call, 30 * second)),
    async logs(id, call) {
      const limits = limitsOf(call, 10 * second);
      if (!(await own(host, id, limits))) throw missing(id);
      return tail(host, { id, lines: call.lines }, limits);
    },
  };
}

async function removeEnvironment(
  host: Host,
  { environment, volumes }: { environment: string; volumes: "keep" | "delete" },
  limits: Limits,
): Promise<void> {
  const left = await listed(host, { [label.environment]: environment }, limits);
  if (left.length > 0) throw new RuntimeError("in-use", `${left.length} containers are left in ${environment}`);
  await removeNetwork(host, environment, limits);
  if (volumes === "delete") await removeVolumes(host, environment, limits);
}

async function start(host: Host, spec: InstanceSpec, limits: Limits): Promise<Instance> {
  const found = (await existing(host, spec, limits)) ?? (await create(host, { spec, kind: spec.kind }, limits));
  const launched = !found.State.Running;
  if (launched) await launch(host, { spec, id: found.Id }, limits);
  const now = await own(host, found.Id, limits);
  if (!now) throw missing(spec.name);
  if (!launched || (now.state === "running" && now.restarts === 0)) return now;
  const last = await tail(host, { id: now.id, lines: tailLines }, limits);
  const code = now.exitCode === undefined ? "an unknown code" : exitWords(now.exitCode);
  const how = now.oomKilled ? "ran out of memory at once" : `exited at once with ${code}`;
  throw new RuntimeError("start-failed", `${spec.name} ${how}`, { tail: last });
}

async function list(host: Host, labels: Readonly<Record<string, string>>, limits: Limits): Promise<Instance[]> {
  const found: Instance[] = [];
  const all = await listed(host, callersLabels(labels), limits);
  const look = async (each: Listed) => host.sightings.of(each) ?? own(host, each.Id, limits);
  for (let at = 0; at < all.length; at += atOnce) {
    const some = await Promise.all(all.slice(at, at + atOnce).map(look));
    found.push(...some.flatMap((each) => each ?? []));
  }
  return found;
}

/** Of all containers with these labels of the engine, oldest first; the balancer is none of them. */
async function listed(host: Host, labels: Readonly<Record<string, string>>, limits: Limits): Promise<Listed[]> {
  const query = { all: true, filters: host.names.filter(labels) };
  const found = await json<Listed[]>(host, { method: "GET", path: "/containers/json", query }, limits);
  const mine = found.filter(({ Labels }) => Labels[label.name] !== undefined);
  // The engine tells them newest first, and the second of each, which several may share.
  return mine.toReversed().toSorted((left, right) => left.Created - right.Created);
}

async function stop(host: Host, { id, graceMs }: { id: string; graceMs: number }, limits: Limits): Promise<void> {
  const known = await ownId(host, id, limits);
  if (known === undefined) return;
  const query = { t: Math.ceil(graceMs / second) };
  await gone(() => json(host, { method: "POST", path: `/containers/${known}/stop`, query }, limits));
}

async function remove(host: Host, id: string, limits: Limits): Promise<void> {
  const known = await ownId(host, id, limits);
  if (known === undefined) return;
  const query = { force: true, v: true };
  await gone(() => json(host, { method: "DELETE", path: `/containers/${known}`, query }, limits));
  host.owned.delete(known);
}
