/** Making and starting containers, for instances and jobs alike. */
import type { Limits } from "#drivers/engine/engine.ts";
import { type ContainerSpec, type FileToPlace, type Instance, type InstanceSpec, RuntimeError } from "../contract.ts";
import { nextAddress, poolOf } from "./addresses.ts";
import { isFailure } from "./failure.ts";
import { type Host, inspected, json, limitsOf, type Taken, tail } from "./host.ts";
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

const readMs = 20_000;

/** What of a container decides whether it is still to be started. */
export interface Present extends Pick<Inspected, "Id"> {
  State: Pick<Inspected["State"], "Running" | "Status">;
}

/** The container of this name, made from this specification or `name-taken`; nothing when there is none. */
export async function existing(host: Host, spec: ContainerSpec, limits: Limits): Promise<Inspected | undefined> {
  const found = await inspected(host, host.names.container(spec.name), limits);
  if (found && found.Config.Labels[label.spec] !== fingerprint(spec))
    throw new RuntimeError("name-taken", `${spec.name} exists, made from another specification`);
  return found;
}

/** A new container; the specification's files are not yet in it. */
export async function create(host: Host, { spec, kind }: Made, limits: Limits): Promise<Present> {
  const name = host.names.container(spec.name);
  await (kind === "job" ? subnetOf(host, spec.environment, limits) : undefined);
  const address = kind === "job" ? undefined : await chooseAddress(host, spec.environment);
  const body = bodyOf({ names: host.names, spec, kind, ...(address === undefined ? {} : { address }) });
  const request = { method: "POST" as const, path: "/containers/create", query: { name }, body };
  const { Id } = await json<{ Id: string }>(host, request, limits);
  return { Id, State: { Running: false, Status: "created" } };
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

/** What is taken is read once for all who ask meanwhile; they are then dealt one after the other. */
async function chooseAddress(host: Host, environment: string): Promise<string> {
  const reading = host.taken.get(environment) ?? readTaken(host, environment);
  host.taken.set(environment, reading);
  const { pool, used } = await reading;
  const address = pool && nextAddress(pool, used, host.lastAddress.get(environment));
  if (address === undefined) throw new RuntimeError("engine", `the network of ${environment} has no address left`);
  used.add(address);
  host.lastAddress.set(environment, address);
  return address;
}

/** Serves several callers, so none of them can end it early. */
async function readTaken(host: Host, environment: string): Promise<Taken> {
  const limits = limitsOf(undefined, readMs);
  try {
    const pool = poolOf(await subnetOf(host, environment, limits));
    const query = { all: true, filters: host.names.filter({ [label.environment]: environment }) };
    const request = { method: "GET" as const, path: "/containers/json", query };
    const all = await json<{ Labels: Record<string, string> }[]>(host, request, limits);
    return { pool, used: new Set(all.flatMap(({ Labels }) => Labels[label.address] ?? [])) };
  } finally {
    host.taken.delete(environment);
  }
}
