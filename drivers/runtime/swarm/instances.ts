/** Instances: started, stopped, looked at. */
import type { Limits } from "#drivers/engine/engine.ts";
import { exitWords, type Instance, type InstanceSpec, RuntimeError } from "../contract.ts";
import { isFailure } from "../docker/failure.ts";
import { label } from "../docker/names.ts";
import { callersLabels } from "../docker/spec.ts";
import { change, type Cluster, imageId, json, machines, nodesOf, own, poll, seen, tasksAt } from "./cluster.ts";
import { tail } from "./logs.ts";
import { currentOf, fellOver, instanceOf, isStopped, type Seen, type Service, type Task, tasksOf } from "./read.ts";
import { create, existing, removeService, untilEnded } from "./services.ts";
import { freed, spreads, startedAgain, stopped } from "./spec.ts";

const tailLines = 50;
/** A cluster without room for an instance tries for ever; this long is given for room to come. */
const roomMs = 10_000;
/** A swarm that does not even say where an instance goes must not keep others from starting. */
const placingMs = 3_000;

export async function start(cluster: Cluster, spec: InstanceSpec, limits: Limits): Promise<Instance> {
  const found = await existing(cluster, spec, limits);
  if (found && !isStopped(found)) {
    const now = await own(cluster, found.ID, limits);
    if (now && (now.state === "running" || now.restarts > 0)) return now;
  }
  if (found && isStopped(found)) await change(cluster, { id: found.ID, to: startedAgain }, limits);
  const service = found ?? (await place(cluster, spec, limits));
  const running = await settled(cluster, { id: service.ID, name: spec.name }, limits);
  await release(cluster, service.ID, limits);
  return running;
}

/** One after the other: which machines have how many is known once those before have theirs. */
async function place(cluster: Cluster, spec: InstanceSpec, limits: Limits): Promise<Service> {
  const before = cluster.placing;
  const made = before.then(async () =>
    create(cluster, { spec, kind: spec.kind, avoid: await crowded(cluster, spec, limits) }, limits),
  );
  cluster.placing = made.then(({ ID }) => hasPlace(cluster, ID, limits)).catch(() => {});
  return made;
}

/** On a machine, or for its own caller to see that there is none for it. */
async function hasPlace(cluster: Cluster, id: string, limits: Limits): Promise<void> {
  const since = performance.now();
  await poll(limits, async () => {
    const found = await seen(cluster, id, limits);
    const isPlaced = found && (currentOf(found)?.NodeID || homelessness(found));
    return isPlaced || performance.now() - since > placingMs ? true : undefined;
  });
}

/**
 * The machines with most instances of the same labels but for the name's, when there is another: the cluster itself spreads
 * by service, and each of ours has one task.
 */
async function crowded(cluster: Cluster, spec: InstanceSpec, limits: Limits): Promise<string[]> {
  if (spec.kind === "backing") return [];
  const nodes = (await nodesOf(cluster, limits)).filter(isOpen);
  if (nodes.length < 2) return [];
  const siblings = await readAll(cluster, spec.labels, limits);
  const places = siblings.map((each) => currentOf(each)?.NodeID);
  const count = ({ ID }: { ID: string }) => places.filter((place) => place === ID).length;
  const least = Math.min(...nodes.map(count));
  return nodes.filter((node) => count(node) > least).map(({ ID }) => ID);
}

function isOpen({ Status, Spec }: Awaited<ReturnType<typeof nodesOf>>[number]): boolean {
  return Status.State === "ready" && Spec.Availability === "active";
}

/** Once it runs, every machine will do: when its own is lost, it must be free to go to any. */
async function release(cluster: Cluster, id: string, limits: Limits): Promise<void> {
  const found = await seen(cluster, id, limits);
  if (found && spreads(found.service.Spec)) await change(cluster, { id, to: freed }, limits);
}

async function settled(
  cluster: Cluster,
  { id, name }: { id: string; name: string },
  limits: Limits,
): Promise<Instance> {
  const since = performance.now();
  return poll(limits, async () => {
    const found = await seen(cluster, id, limits);
    const now = found && instanceOf(found, cluster.names.install);
    if (!now) throw new RuntimeError("not-found", `there is no instance ${name}`);
    const fallen = tasksOf(found).find(fellOver);
    if (fallen) throw await failed(cluster, { name, task: fallen, all: found }, limits);
    if (now.state === "running") return now;
    const homeless = homelessness(found);
    if (homeless === undefined || performance.now() - since < roomMs) return undefined;
    if (!spreads(found.service.Spec)) throw new RuntimeError("start-failed", `no machine takes ${name}: ${homeless}`);
    await change(cluster, { id, to: freed }, limits);
    return undefined;
  });
}

/** Why no machine takes it, in the cluster's words. */
function homelessness(found: Seen): string | undefined {
  const now = currentOf(found);
  return now && !now.NodeID ? now.Status.Err : undefined;
}

async function failed(
  cluster: Cluster,
  { name, task, all }: { name: string; task: Task; all: Seen },
  limits: Limits,
): Promise<RuntimeError> {
  const { ContainerStatus, Err = "" } = task.Status;
  const code = ContainerStatus?.ExitCode;
  const last = await tail(cluster, { seen: all, lines: tailLines }, limits).catch(() => []);
  if (/no such image/i.test(Err))
    return new RuntimeError("image-missing", `a machine could not pull the image of ${name}: ${Err}`, { tail: last });
  const message = code ? `${name} exited at once with ${exitWords(code)}` : `${name} could not be started: ${Err}`;
  return new RuntimeError("start-failed", message, { tail: last });
}

/** Everything of the installation, or nothing where the engine manages no cluster: none can be there. */
export async function list(
  cluster: Cluster,
  labels: Readonly<Record<string, string>>,
  limits: Limits,
): Promise<Instance[]> {
  const all = await readAll(cluster, labels, limits).catch((error: unknown) => {
    if (isFailure(error, "unfit")) return [];
    throw error;
  });
  return all.flatMap((each) => instanceOf(each, cluster.names.install) ?? []);
}

async function readAll(cluster: Cluster, labels: Readonly<Record<string, string>>, limits: Limits): Promise<Seen[]> {
  const query = { filters: cluster.names.filter(callersLabels(labels)) };
  const found = await json<Service[] | null>(cluster, { method: "GET", path: "/services", query }, limits);
  const services = (found ?? []).filter(({ Spec }) => Spec.Labels[label.name] !== undefined);
  if (services.length === 0) return [];
  const [tasks, { down, paused }] = await Promise.all([
    json<Task[] | null>(cluster, { method: "GET", path: "/tasks" }, limits),
    machines(cluster, limits),
  ]);
  const images = [...new Set(services.map(({ Spec }) => Spec.TaskTemplate.ContainerSpec.Image))];
  const ids = new Map(
    await Promise.all(images.map(async (each) => [each, await imageId(cluster, each, limits)] as const)),
  );
  const byService = Map.groupBy(tasks ?? [], ({ ServiceID }) => ServiceID);
  return services
    .toSorted((left, right) => (left.CreatedAt < right.CreatedAt ? -1 : 1))
    .map((service) => ({
      ...{ service, down, paused, tasks: byService.get(service.ID) ?? [] },
      imageId: ids.get(service.Spec.TaskTemplate.ContainerSpec.Image) ?? "",
    }));
}

export async function stop(cluster: Cluster, id: string, limits: Limits): Promise<void> {
  const found = await seen(cluster, id, limits);
  if (!found) return;
  if (!isStopped(found.service)) await change(cluster, { id, to: stopped }, limits);
  await untilEnded(cluster, () => tasksAt(cluster, id, limits), limits);
}

export async function remove(cluster: Cluster, id: string, limits: Limits): Promise<void> {
  const found = await seen(cluster, id, limits);
  if (found) await removeService(cluster, found.service, limits);
}
