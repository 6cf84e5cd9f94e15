/** Making services, for instances and jobs alike, and taking them away. */
import type { EngineRequest, Limits } from "#drivers/engine/engine.ts";
import { type ContainerSpec, RuntimeError } from "../contract.ts";
import type { Made } from "../docker/containers.ts";
import { isFailure } from "../docker/failure.ts";
import { gone, inspected, json as engineJson } from "../docker/host.ts";
import { hold } from "../docker/images.ts";
import { label } from "../docker/names.ts";
import { fingerprint } from "../docker/spec.ts";
import { userOf } from "../docker/users.ts";
import { type Cluster, here, json, machines, poll, serviceAt, tasksAt } from "./cluster.ts";
import { networkOf } from "./networks.ts";
import { hasEnded, type Service, type Task } from "./read.ts";
import { serviceOf } from "./spec.ts";

/** The service of this name, made from this specification or `name-taken`; nothing when there is none. */
export async function existing(cluster: Cluster, spec: ContainerSpec, limits: Limits): Promise<Service | undefined> {
  const found = await serviceAt(cluster, cluster.names.service(spec.name), limits);
  if (found && found.Spec.Labels[label.spec] !== fingerprint(spec))
    throw new RuntimeError("name-taken", `${spec.name} exists, made from another specification`);
  return found;
}

export async function create(
  cluster: Cluster,
  { spec, kind, avoid = [] }: Made & { avoid?: readonly string[] },
  limits: Limits,
): Promise<Service> {
  const { names } = cluster;
  if (!(await networkOf(cluster, spec.environment, limits)))
    throw new RuntimeError("not-found", `there is no network of ${spec.environment}`);
  await engineJson(cluster.host, { method: "GET", path: `/images/${spec.image}/json` }, limits);
  const files = await placeFiles(cluster, spec, limits);
  const user = spec.files?.some(({ uid }) => uid === "image") ? await userOfImage(cluster, spec.image, limits) : 0;
  const body = serviceOf({ names, spec, kind, files, user, avoid, here: await here(cluster, limits) });
  await json(cluster, { method: "POST", path: "/services/create", body }, limits);
  const made = await serviceAt(cluster, names.service(spec.name), limits);
  if (!made) throw new RuntimeError("engine", `${spec.name} vanished while it was made`);
  return made;
}

/** Read from the container that holds it here. */
async function userOfImage({ host }: Cluster, image: string, limits: Limits): Promise<number> {
  await hold(host, image, limits);
  return userOf(host, host.names.hold(image), limits);
}

/** Ids of the secrets that hold the files. Those of a caller who died in between are taken as they are: they are named by their content. */
async function placeFiles(cluster: Cluster, spec: ContainerSpec, limits: Limits): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, { content }] of (spec.files ?? []).entries()) {
    const Name = cluster.names.file(fingerprint(spec), spec.name, index);
    const Labels = { [label.install]: cluster.names.install, [label.name]: spec.name };
    const body = { Name, Labels, Data: Buffer.from(content).toString("base64") };
    await json(cluster, { method: "POST", path: "/secrets/create", body }, limits).catch((error: unknown) => {
      if (!isFailure(error, "engine") || !/already exists|in use/i.test(error.message)) throw error;
    });
    const { ID } = await json<{ ID: string }>(cluster, { method: "GET", path: `/secrets/${Name}` }, limits);
    ids.push(ID);
  }
  return ids;
}

/** The service with its files; returns when its containers have ended too, on machines that answer. */
export async function removeService(cluster: Cluster, { ID, Spec }: Service, limits: Limits): Promise<void> {
  const tasks = await tasksAt(cluster, ID, limits);
  await gone(() => json(cluster, { method: "DELETE", path: `/services/${ID}` }, limits));
  const name = Spec.Labels[label.name];
  const filters = cluster.names.filter();
  const secrets = await json<{ ID: string; Spec: { Labels: Record<string, string> } }[] | null>(
    cluster,
    { method: "GET", path: "/secrets", query: { filters } },
    limits,
  );
  for (const secret of (secrets ?? []).filter((each) => each.Spec.Labels[label.name] === name))
    await gone(() => json(cluster, { method: "DELETE", path: `/secrets/${secret.ID}` }, limits));
  await removeHere(cluster, tasks, limits);
  await untilEnded(cluster, () => Promise.all(tasks.map(({ ID: task }) => taskAt(cluster, task, limits))), limits);
}

/** The cluster takes its time with containers of removed tasks, and until then they hold their volumes. */
async function removeHere(cluster: Cluster, tasks: readonly Task[], limits: Limits): Promise<void> {
  const own = await here(cluster, limits);
  for (const { NodeID, Status } of tasks) {
    const id = Status.ContainerStatus?.ContainerID;
    if (NodeID !== own || !id) continue;
    await poll(limits, async () => {
      if (!(await inspected(cluster.host, id, limits))) return true;
      const request: EngineRequest = { method: "DELETE", path: `/containers/${id}`, query: { force: true, v: true } };
      // Most often because it is removed already.
      await engineJson(cluster.host, request, limits).catch((error: unknown) => {
        if (!isFailure(error, "engine") && !isFailure(error, "not-found")) throw error;
      });
      return undefined;
    });
  }
}

function taskAt(cluster: Cluster, id: string, limits: Limits): Promise<Task | undefined> {
  return gone(() => json<Task>(cluster, { method: "GET", path: `/tasks/${id}` }, limits));
}

/** Until none of the tasks has a container that runs; what a machine that is down had is lost with it. */
export function untilEnded(cluster: Cluster, look: () => Promise<(Task | undefined)[]>, limits: Limits): Promise<true> {
  return poll(limits, async () => {
    const [tasks, { down }] = await Promise.all([look(), machines(cluster, limits)]);
    const left = tasks.filter((each) => each && !hasEnded(each) && each.NodeID && !down.has(each.NodeID));
    return left.length === 0 ? true : undefined;
  });
}
