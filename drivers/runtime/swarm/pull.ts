/**
 * Getting an image onto every machine that takes instances, so that one that is lost finds it wherever it returns. A service with
 * one task on each machine does it, and stays: its containers, which never ran, hold the image, and a machine that joins later gets it too.
 */
import type { Limits } from "#drivers/engine/engine.ts";
import { RuntimeError } from "../contract.ts";
import { isFailure } from "../docker/failure.ts";
import { gone } from "../docker/host.ts";
import { pull as pullHere, type PullRequest } from "../docker/pull.ts";
import { type Cluster, here, json, nameOf, nodesOf, poll, serviceAt, tasksAt } from "./cluster.ts";
import { hasEnded, type Task } from "./read.ts";
import { pullingOf } from "./spec.ts";

export async function pull(cluster: Cluster, request: PullRequest, limits: Limits): Promise<void> {
  // First, and by our own engine: it alone tells what is wrong with an image or its registry.
  await pullHere(cluster.host, request, limits);
  const { image } = request;
  const shared = cluster.spreading.get(image);
  const spreading = shared ?? spread(cluster, request, limits).finally(() => cluster.spreading.delete(image));
  if (!shared) cluster.spreading.set(image, spreading);
  await spreading.catch((error: unknown) => {
    if (shared && (isFailure(error, "aborted") || isFailure(error, "deadline"))) return pull(cluster, request, limits);
    throw error;
  });
}

/** Lets go of it everywhere; other machines keep it until they clean up. */
export async function letGo(cluster: Cluster, image: string, limits: Limits): Promise<void> {
  const path = `/services/${cluster.names.pull(image)}`;
  await gone(() => json(cluster, { method: "DELETE", path }, limits)).catch((error: unknown) => {
    if (!isFailure(error, "unfit")) throw error;
  });
}

async function spread(cluster: Cluster, request: PullRequest, limits: Limits): Promise<void> {
  const own = await here(cluster, limits);
  const others = (await openNodes(cluster, limits)).filter(({ ID }) => ID !== own);
  if (others.length === 0) return;
  const found = await serviceAt(cluster, cluster.names.pull(request.image), limits);
  const before =
    found && (await arrived(cluster, { id: found.ID, image: request.image, own }, limits).catch(() => false));
  if (before) return;
  await letGo(cluster, request.image, limits);
  const id = await begin(cluster, { ...request, own }, limits);
  await poll(limits, () => arrived(cluster, { id, image: request.image, own }, limits));
}

async function begin(
  cluster: Cluster,
  { image, auth, own }: PullRequest & { own: string },
  limits: Limits,
): Promise<string> {
  const body = pullingOf(cluster.names, image, own);
  const authconfig = auth && { ...auth, serveraddress: image.split("/")[0] ?? "" };
  const request = { method: "POST" as const, path: "/services/create", body, ...(authconfig ? { authconfig } : {}) };
  return (await json<{ ID: string }>(cluster, request, limits)).ID;
}

async function openNodes(cluster: Cluster, limits: Limits) {
  const nodes = await nodesOf(cluster, limits);
  return nodes.filter(({ Status, Spec }) => Status.State === "ready" && Spec.Availability === "active");
}

/** A machine that goes down meanwhile is not waited for. */
async function arrived(
  cluster: Cluster,
  { id, image, own }: { id: string; image: string; own: string },
  limits: Limits,
): Promise<true | undefined> {
  const [tasks, open] = await Promise.all([tasksAt(cluster, id, limits), openNodes(cluster, limits)]);
  for (const node of open.filter(({ ID }) => ID !== own)) {
    const task = tasks.find(({ NodeID }) => NodeID === node.ID);
    if (!task || !isPast(task)) return undefined;
    if (/no such image/i.test(task.Status.Err ?? ""))
      throw new RuntimeError(
        "registry-unreachable",
        `the machine ${nameOf(node)} cannot pull ${image}, which this one can; set TOWLINE_REGISTRY_ADDRESS to what all machines reach the registry by`,
      );
  }
  return true;
}

function isPast(task: Task): boolean {
  return hasEnded(task) || ["starting", "running"].includes(task.Status.State);
}
