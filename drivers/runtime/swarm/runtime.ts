/** Instances as services of a Docker Swarm, one task each. Swarm places and heals; when something is done, and by which digest, we say. */
import type { Limits } from "#drivers/engine/engine.ts";
import { type Runtime, RuntimeError } from "../contract.ts";
import { isFailure } from "../docker/failure.ts";
import { type DockerRuntimeOptions, limitsOf, missing } from "../docker/host.ts";
import { heldImages, hold, removeImage } from "../docker/images.ts";
import { environmentsWith, removeVolume, removeVolumes } from "../docker/networks.ts";
import { label } from "../docker/names.ts";
import { type Cluster, createCluster, json, own, poll, seen } from "./cluster.ts";
import { list, remove, start, stop } from "./instances.ts";
import { runOnce } from "./jobs.ts";
import { tail } from "./logs.ts";
import { ensureNetwork, removeNetwork } from "./networks.ts";
import { endProgram, exec, usage } from "./local.ts";
import { letGo, pull } from "./pull.ts";
import type { Service } from "./read.ts";

/** Ids of services have another length than those of containers. */
export function isOfSwarm(id: string): boolean {
  return /^[a-z0-9]{25}$/.test(id);
}

const second = 1_000;
const minute = 60_000;

export function createSwarmRuntime(options: DockerRuntimeOptions): Runtime {
  const cluster = createCluster(options);
  return {
    ensureNetwork: (environment, call) => ensureNetwork(cluster, environment, limitsOf(call, 30 * second)),
    environments: (call) => environmentsWith(cluster.host, "overlay", limitsOf(call, 20 * second)),
    removeEnvironment: (environment, call) =>
      removeEnvironment(cluster, { environment, volumes: call.volumes }, limitsOf(call, 30 * second)),
    async pull(image, call = {}) {
      const { auth, onProgress } = call;
      const request = { image, ...(auth ? { auth } : {}), ...(onProgress ? { onProgress } : {}) };
      const limits = limitsOf(call, 10 * minute);
      await pull(cluster, request, limits);
      await hold(cluster.host, image, limits);
    },
    async removeImage(image, call) {
      const limits = limitsOf(call, minute);
      await letGo(cluster, image, limits);
      await removeImage(cluster.host, image, limits);
    },
    heldImages: (call) => heldImages(cluster.host, limitsOf(call, 20 * second)),
    start: (spec, call) => start(cluster, spec, limitsOf(call, minute)),
    runOnce: (spec, call) => runOnce(cluster, spec, limitsOf(call, 10 * minute)),
    inspect: (id, call) => own(cluster, id, limitsOf(call, 10 * second)),
    list: (labels, call) => list(cluster, labels, limitsOf(call, 20 * second)),
    usage: (ids, call) => usage(cluster, ids, limitsOf(call, 10 * second)),
    stop: (id, call) => stop(cluster, id, limitsOf(call, call.graceMs + 30 * second)),
    remove: (id, call) => remove(cluster, id, limitsOf(call, 30 * second)),
    exec: (id, program, call) => exec(cluster, { id, program }, limitsOf(call, 10 * minute)),
    endProgram: (id, name, call) => endProgram(cluster, { id, name }, limitsOf(call, 30 * second)),
    removeVolume: (environment, volume, call) =>
      removeVolume(cluster.host, { environment, volume }, limitsOf(call, 30 * second)),
    async logs(id, call) {
      const limits = limitsOf(call, 10 * second);
      const found = await seen(cluster, id, limits);
      if (!found) throw missing(id);
      return tail(cluster, { seen: found, lines: call.lines }, limits);
    },
  };
}

async function removeEnvironment(
  cluster: Cluster,
  { environment, volumes }: { environment: string; volumes: "keep" | "delete" },
  limits: Limits,
): Promise<void> {
  const query = { filters: cluster.names.filter({ [label.environment]: environment }) };
  const left = await json<Service[] | null>(cluster, { method: "GET", path: "/services", query }, limits);
  if (left?.length) throw new RuntimeError("in-use", `${left.length} services are left in ${environment}`);
  await removeNetwork(cluster, environment, limits);
  if (volumes === "delete") await removeAllVolumes(cluster, environment, limits);
}

/** They are on this machine: who has one is placed here. A container that has just ended may hold its own for a moment. */
function removeAllVolumes(cluster: Cluster, environment: string, limits: Limits): Promise<true> {
  return poll(limits, () =>
    removeVolumes(cluster.host, environment, limits).then(
      () => true as const,
      (error: unknown) => {
        if (isFailure(error, "in-use")) return undefined;
        throw error;
      },
    ),
  );
}
