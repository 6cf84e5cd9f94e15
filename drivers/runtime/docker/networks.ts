/** Networks and volumes of environments. */
import type { Limits } from "#drivers/engine/engine.ts";
import { type Network, RuntimeError } from "../contract.ts";
import { dealt, gateway, poolOf } from "./addresses.ts";
import { isFailure } from "./failure.ts";
import { gone, type Host, inspected, json } from "./host.ts";
import { label } from "./names.ts";

interface NetworkInspected {
  Name: string;
  IPAM: { Config: { Subnet?: string; IPRange?: string }[] };
  Containers: Record<string, unknown>;
}

interface NetworkListed {
  Driver: string;
  Labels: Record<string, string> | null;
}

/** Other networks may take the subnet between the two steps of making one. */
const attempts = 5;

/** One after the other: the engine makes two networks of one name where both are asked for in the same moment. */
export async function ensureNetwork(host: Host, environment: string, limits: Limits): Promise<Network> {
  const before = host.networks.get(environment) ?? Promise.resolve();
  const ensured = before.then(() => ensureOne(host, environment, limits));
  const settled = ensured.catch(() => undefined);
  host.networks.set(environment, settled);
  return ensured;
}

async function ensureOne(host: Host, environment: string, limits: Limits): Promise<Network> {
  const name = host.names.network(environment);
  for (let attempt = 1; ; attempt++) {
    const found = await networkOf(host, name, limits);
    const subnet = found?.IPAM.Config[0]?.Subnet;
    if (found?.IPAM.Config[0]?.IPRange && subnet !== undefined) return { name, environment, subnet };
    try {
      await (found ? settleSubnet(host, { environment, found }, limits) : create(host, { environment }, limits));
    } catch (error) {
      // Another call made or removed it, or its subnet went to another network.
      if (attempt === attempts || isFailure(error, "aborted") || isFailure(error, "deadline")) throw error;
    }
  }
}

/**
 * The engine chooses a free subnet but then lets nobody choose addresses in it. So a network is made, its subnet noted,
 * and the same made again with that subnet given. One without a range is one that was left half-made.
 */
async function settleSubnet(
  host: Host,
  { environment, found }: { environment: string; found: NetworkInspected },
  limits: Limits,
): Promise<void> {
  if (Object.keys(found.Containers).length > 0)
    throw new RuntimeError("in-use", `the network ${found.Name} is not one of ours, and something uses it`);
  const subnet = found.IPAM.Config[0]?.Subnet ?? "";
  const pool = poolOf(subnet);
  if (!pool) throw new RuntimeError("engine", `the engine gave the subnet ${subnet}, which is too small`);
  await json(host, { method: "DELETE", path: `/networks/${found.Name}` }, limits);
  const config = [{ Subnet: subnet, Gateway: gateway(pool), IPRange: dealt(pool) }];
  await create(host, { environment, config }, limits);
}

async function create(
  host: Host,
  { environment, config }: { environment: string; config?: Record<string, string>[] },
  limits: Limits,
): Promise<void> {
  const body = {
    Name: host.names.network(environment),
    CheckDuplicate: true,
    Driver: "bridge",
    Labels: { [label.install]: host.names.install, [label.environment]: environment },
    ...(config ? { IPAM: { Config: config } } : {}),
  };
  await json(host, { method: "POST", path: "/networks/create", body }, limits);
}

/** The engine answers to the beginning of an id too, so the name is compared. */
async function networkOf(host: Host, name: string, limits: Limits): Promise<NetworkInspected | undefined> {
  const found = await gone(() => json<NetworkInspected>(host, { method: "GET", path: `/networks/${name}` }, limits));
  return found?.Name === name ? found : undefined;
}

/** Environments that have a network of this kind. */
export async function environmentsWith(host: Host, driver: "bridge" | "overlay", limits: Limits): Promise<string[]> {
  const query = { filters: host.names.filter() };
  const found = await json<NetworkListed[]>(host, { method: "GET", path: "/networks", query }, limits);
  return found.filter(({ Driver }) => Driver === driver).flatMap(({ Labels }) => Labels?.[label.environment] ?? []);
}

export async function removeNetwork(host: Host, environment: string, limits: Limits): Promise<void> {
  const name = host.names.network(environment);
  const found = await networkOf(host, name, limits);
  if (!found) return;
  await detach(host, { network: name, ids: Object.keys(found.Containers) }, limits);
  await gone(() => json(host, { method: "DELETE", path: `/networks/${name}` }, limits));
}

/** The balancer may still be attached; with a container of somebody else's the network is in use, and all stay. */
export async function detach(
  host: Host,
  { network, ids }: { network: string; ids: readonly string[] },
  limits: Limits,
): Promise<void> {
  for (const id of ids) {
    const { Name, Config } = (await inspected(host, id, limits)) ?? {};
    if (Config && Config.Labels[label.install] !== host.names.install)
      throw new RuntimeError("in-use", `the container ${Name?.slice(1)} is attached to the network ${network}`);
  }
  for (const id of ids) {
    const body = { Container: id, Force: true };
    await gone(() => json(host, { method: "POST", path: `/networks/${network}/disconnect`, body }, limits));
  }
}

export async function removeVolumes(host: Host, environment: string, limits: Limits): Promise<void> {
  const filters = host.names.filter({ [label.environment]: environment });
  const { Volumes } = await json<{ Volumes: { Name: string }[] | null }>(
    host,
    { method: "GET", path: "/volumes", query: { filters } },
    limits,
  );
  for (const { Name } of Volumes ?? [])
    await gone(() => json(host, { method: "DELETE", path: `/volumes/${Name}` }, limits));
}

/** One that the engine has under this name but without our label is somebody else's. */
export async function removeVolume(
  host: Host,
  { environment, volume }: { environment: string; volume: string },
  limits: Limits,
): Promise<void> {
  const path = `/volumes/${host.names.volume(environment, volume)}`;
  const found = await gone(() =>
    json<{ Labels: Record<string, string> | null }>(host, { method: "GET", path }, limits),
  );
  if (found?.Labels?.[label.install] !== host.names.install) return;
  await gone(() => json(host, { method: "DELETE", path }, limits));
}

/** Subnet of an environment's network; `not-found` when `ensureNetwork` was not called. */
export async function subnetOf(host: Host, environment: string, limits: Limits): Promise<string> {
  const found = await networkOf(host, host.names.network(environment), limits);
  const subnet = found?.IPAM.Config[0]?.Subnet;
  if (subnet === undefined) throw new RuntimeError("not-found", `there is no network of ${environment}`);
  return subnet;
}
