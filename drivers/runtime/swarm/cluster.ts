/** A cluster as one installation sees it through the engine of a manager: its calls, and what its methods share. */
import { setTimeout as sleep } from "node:timers/promises";
import type { EngineRequest, Limits } from "#drivers/engine/engine.ts";
import { type Instance, RuntimeError } from "../contract.ts";
import { isFailure } from "../docker/failure.ts";
import { createHost, type DockerRuntimeOptions, gone, type Host, json as engineJson } from "../docker/host.ts";
import { label } from "../docker/names.ts";
import { createSwarmNames, type SwarmNames } from "./names.ts";
import { instanceOf, type Machines, type Seen, type Service, type ServiceSpec, type Task } from "./read.ts";

export interface Cluster {
  names: SwarmNames;
  /** The manager's own engine. */
  host: Host;
  /** Spreading of images under way, by image. */
  spreading: Map<string, Promise<void>>;
  /** Settles when the last instance so far has its machine. */
  placing: Promise<unknown>;
}

export interface Node {
  ID: string;
  Spec: { Availability: string };
  Status: { State: string };
  Description: { Hostname?: string };
}

const pollMs = 100;

export function createCluster(options: DockerRuntimeOptions): Cluster {
  const names = createSwarmNames(options.install);
  return { names, host: createHost(options), spreading: new Map(), placing: Promise.resolve() };
}

const noManager = /not a swarm manager/i;

/** As `json` of the engine; `unfit` where the engine manages no cluster. */
export async function json<T>({ host }: Cluster, request: EngineRequest, limits: Limits): Promise<T> {
  return engineJson<T>(host, request, limits).catch((error: unknown) => {
    if (!isFailure(error, "engine")) throw error;
    if (/^(service|task|secret|network) \S+ not found/i.test(error.message))
      throw new RuntimeError("not-found", error.message, { cause: error });
    if (noManager.test(error.message)) throw unfit(error);
    throw error;
  });
}

function unfit(cause: unknown): RuntimeError {
  const message =
    "the Docker Engine of this machine manages no swarm; run `docker swarm init` here (or make this machine a manager of the " +
    "swarm that is there: `docker swarm join` with a manager's token)";
  return new RuntimeError("unfit", message, { cause });
}

export async function serviceAt(cluster: Cluster, id: string, limits: Limits): Promise<Service | undefined> {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(id)) return undefined;
  return gone(() => json<Service>(cluster, { method: "GET", path: `/services/${id}` }, limits));
}

/** Of all its starts, as far as the cluster remembers them. */
export async function tasksAt(cluster: Cluster, id: string, limits: Limits): Promise<Task[]> {
  const filters = JSON.stringify({ service: [id] });
  const request: EngineRequest = { method: "GET", path: "/tasks", query: { filters } };
  return (await gone(() => json<Task[] | null>(cluster, request, limits))) ?? [];
}

export function nodesOf(cluster: Cluster, limits: Limits): Promise<Node[]> {
  return json<Node[]>(cluster, { method: "GET", path: "/nodes" }, limits);
}

export async function machines(cluster: Cluster, limits: Limits): Promise<Machines> {
  const nodes = await nodesOf(cluster, limits);
  const names = (chosen: Node[]) => new Map(chosen.map((node) => [node.ID, nameOf(node)]));
  return {
    down: names(nodes.filter(({ Status }) => Status.State === "down")),
    paused: names(nodes.filter(({ Spec }) => Spec.Availability === "pause")),
  };
}

export function nameOf({ ID, Description }: Node): string {
  return Description.Hostname ?? ID;
}

/** The machine on which we are. */
export async function here(cluster: Cluster, limits: Limits): Promise<string> {
  const { Swarm } = await json<{ Swarm: { NodeID: string } }>(cluster, { method: "GET", path: "/info" }, limits);
  return Swarm.NodeID;
}

/** Id of the image's configuration as this machine has it; of one that is only elsewhere, the digest it was asked for by. */
export async function imageId({ host }: Cluster, image: string, limits: Limits): Promise<string> {
  try {
    return (await engineJson<{ Id: string }>(host, { method: "GET", path: `/images/${image}/json` }, limits)).Id;
  } catch (error) {
    if (!isFailure(error, "image-missing")) throw error;
    return image.split("@")[1] ?? "";
  }
}

/** All that is known of an instance or job of this installation, or nothing. */
export async function seen(cluster: Cluster, id: string, limits: Limits): Promise<Seen | undefined> {
  const service = await serviceAt(cluster, id, limits);
  if (!service || service.Spec.Labels[label.install] !== cluster.names.install) return undefined;
  if (service.Spec.Labels[label.name] === undefined) return undefined;
  const [tasks, { down, paused }, image] = await Promise.all([
    tasksAt(cluster, id, limits),
    machines(cluster, limits),
    imageId(cluster, service.Spec.TaskTemplate.ContainerSpec.Image, limits),
  ]);
  return { service, tasks, down, paused, imageId: image };
}

export async function own(cluster: Cluster, id: string, limits: Limits): Promise<Instance | undefined> {
  const found = await seen(cluster, id, limits);
  return found && instanceOf(found, cluster.names.install);
}

/** Changes what the service is told to be; another change at the same time is no harm. */
export async function change(
  cluster: Cluster,
  { id, to }: { id: string; to: (spec: ServiceSpec) => ServiceSpec },
  limits: Limits,
): Promise<void> {
  for (;;) {
    const found = await serviceAt(cluster, id, limits);
    if (!found) return;
    const query = { version: found.Version.Index };
    try {
      const body = to(found.Spec);
      return await json(cluster, { method: "POST", path: `/services/${id}/update`, query, body }, limits);
    } catch (error) {
      if (!isFailure(error, "engine") || !/out of sequence/i.test(error.message)) throw error;
      await pause(limits);
    }
  }
}

/** Looks until it sees something. */
export async function poll<T>(limits: Limits, look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await pause(limits);
  }
}

async function pause({ deadlineMs, signal }: Limits): Promise<void> {
  if (deadlineMs <= 0) throw new RuntimeError("deadline", "the cluster took too long");
  try {
    await sleep(pollMs, undefined, signal ? { signal } : {});
  } catch (error) {
    throw new RuntimeError("aborted", "the call was aborted", { cause: error });
  }
}
