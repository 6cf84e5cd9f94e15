/** Networks of environments over all machines. */
import type { Limits } from "#drivers/engine/engine.ts";
import type { Network } from "../contract.ts";
import { isFailure } from "../docker/failure.ts";
import { gone } from "../docker/host.ts";
import { detach } from "../docker/networks.ts";
import { label } from "../docker/names.ts";
import { type Cluster, json, poll } from "./cluster.ts";

interface NetworkInspected {
  Name: string;
  Driver: string;
  IPAM: { Config: { Subnet?: string }[] | null };
  Containers: Record<string, { Name?: string }> | null;
}

export async function ensureNetwork(cluster: Cluster, environment: string, limits: Limits): Promise<Network> {
  const name = cluster.names.overlay(environment);
  if (!(await networkOf(cluster, environment, limits))) await create(cluster, environment, limits);
  // The subnet comes a moment later.
  const subnet = await poll(limits, async () => {
    const found = await networkOf(cluster, environment, limits);
    return found?.IPAM.Config?.[0]?.Subnet;
  });
  return { name, environment, subnet, spansMachines: true };
}

async function create(cluster: Cluster, environment: string, limits: Limits): Promise<void> {
  const body = {
    Name: cluster.names.overlay(environment),
    CheckDuplicate: true,
    Driver: "overlay",
    // The balancer is a container of one machine and must come in.
    Attachable: true,
    Labels: { [label.install]: cluster.names.install, [label.environment]: environment },
  };
  await json(cluster, { method: "POST", path: "/networks/create", body }, limits).catch((error: unknown) => {
    if (!isFailure(error, "engine") || !/already exists/i.test(error.message)) throw error;
  });
}

export async function networkOf(
  cluster: Cluster,
  environment: string,
  limits: Limits,
): Promise<NetworkInspected | undefined> {
  const name = cluster.names.overlay(environment);
  const query = { scope: "swarm" };
  const found = await gone(() =>
    json<NetworkInspected>(cluster, { method: "GET", path: `/networks/${name}`, query }, limits),
  );
  return found?.Name === name ? found : undefined;
}

/** The cluster lets go of a network some time after its last task has ended. */
export async function removeNetwork(cluster: Cluster, environment: string, limits: Limits): Promise<void> {
  const path = `/networks/${cluster.names.overlay(environment)}`;
  await poll(limits, async () => {
    await detachAll(cluster, environment, limits);
    try {
      await gone(() => json(cluster, { method: "DELETE", path }, limits));
      return (await networkOf(cluster, environment, limits)) ? undefined : true;
    } catch (error) {
      if (isFailure(error, "in-use") || (isFailure(error, "engine") && /in use/i.test(error.message))) return undefined;
      throw error;
    }
  });
}

/** Containers of this machine: the balancer, and tasks that are about to end. */
async function detachAll(cluster: Cluster, environment: string, limits: Limits): Promise<void> {
  const found = await networkOf(cluster, environment, limits);
  // The entry of the engine's own is no container.
  const ids = Object.keys(found?.Containers ?? {}).filter((id) => /^[0-9a-f]{64}$/.test(id));
  await detach(cluster.host, { network: cluster.names.overlay(environment), ids }, limits);
}
