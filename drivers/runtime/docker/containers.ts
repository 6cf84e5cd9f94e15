/** Making and starting containers, for instances and jobs alike. */
import type { Limits } from "#drivers/engine/engine.ts";
import { type ContainerSpec, type FileToPlace, type Instance, type InstanceSpec, RuntimeError } from "../contract.ts";
import { nextAddress, poolOf } from "./addresses.ts";
import { isFailure } from "./failure.ts";
import { type Host, inspected, json, tail } from "./host.ts";
import { label } from "./names.ts";
import { subnetOf } from "./networks.ts";
import type { Inspected } from "./read.ts";
import { bodyOf, fingerprint } from "./spec.ts";
import { type OwnedFile, tarOf } from "./tar.ts";
import { userOf } from "./users.ts";

export interface Made {
  spec: ContainerSpec & Partial<InstanceSpec>;
  kind: Instance["kind"];
}

/** The container of this name, made from this specification or `name-taken`; nothing when there is none. */
export async function existing(host: Host, spec: ContainerSpec, limits: Limits): Promise<Inspected | undefined> {
  const found = await inspected(host, host.names.container(spec.name), limits);
  if (found && found.Config.Labels[label.spec] !== fingerprint(spec))
    throw new RuntimeError("name-taken", `${spec.name} exists, made from another specification`);
  return found;
}

/** A new container; the specification's files are not yet in it. */
export async function create(host: Host, { spec, kind }: Made, limits: Limits): Promise<Inspected> {
  const name = host.names.container(spec.name);
  await (kind === "job" ? subnetOf(host, spec.environment, limits) : undefined);
  const address = kind === "job" ? undefined : await chooseAddress(host, spec.environment, limits);
  const body = bodyOf({ names: host.names, spec, kind, ...(address === undefined ? {} : { address }) });
  await json(host, { method: "POST", path: "/containers/create", query: { name }, body }, limits);
  const made = await inspected(host, name, limits);
  if (!made) throw new RuntimeError("engine", `${spec.name} vanished while it was made`);
  return made;
}

/** Places the files and starts it. Files again, since a caller may have died in between. */
export async function launch(
  host: Host,
  { spec, id }: { spec: ContainerSpec; id: string },
  limits: Limits,
): Promise<void> {
  if (spec.files?.length) {
    const body = tarOf(await owned(host, { files: spec.files, id }, limits));
    await json(host, { method: "PUT", path: `/containers/${id}/archive`, query: { path: "/" }, body }, limits);
  }
  try {
    await json(host, { method: "POST", path: `/containers/${id}/start` }, limits);
  } catch (error) {
    if (!isFailure(error, "engine") && !isFailure(error, "image-missing")) throw error;
    const last = await tail(host, { id, lines: 50 }, limits).catch(() => []);
    throw new RuntimeError("start-failed", `${spec.name} could not be started: ${error.message}`, {
      tail: last,
      cause: error,
    });
  }
}

async function owned(
  host: Host,
  { files, id }: { files: readonly FileToPlace[]; id: string },
  limits: Limits,
): Promise<OwnedFile[]> {
  const uid = files.some((each) => each.uid === "image") ? await userOf(host, id, limits) : 0;
  return files.map((each) => ({ ...each, uid: each.uid === "image" ? uid : (each.uid ?? 0) }));
}

/** One after the other, so that no two choose the same. */
async function chooseAddress(host: Host, environment: string, limits: Limits): Promise<string> {
  const chosen = host.choosing.then(() => choose(host, environment, limits));
  host.choosing = chosen.catch(() => undefined);
  return chosen;
}

async function choose(host: Host, environment: string, limits: Limits): Promise<string> {
  const pool = poolOf(await subnetOf(host, environment, limits));
  const filters = host.names.filter({ [label.environment]: environment });
  const query = { all: true, filters };
  const all = await json<{ Labels: Record<string, string> }[]>(
    host,
    { method: "GET", path: "/containers/json", query },
    limits,
  );
  const used = new Set(all.flatMap(({ Labels }) => Labels[label.address] ?? []));
  const address = pool && nextAddress(pool, used, host.lastAddress.get(environment));
  if (address === undefined) throw new RuntimeError("engine", `the network of ${environment} has no address left`);
  host.lastAddress.set(environment, address);
  return address;
}
