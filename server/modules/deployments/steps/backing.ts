/** A backing service runs as its environment says. Another specification replaces it, the old one ended first; its volume stays. */
import { isDeepStrictEqual } from "node:util";
import type { CallOptions, Instance, InstanceSpec } from "#drivers/runtime/contract.ts";
import { resolveBacking } from "#stack/resolve-variables.ts";
import type { BackingSpec } from "#stack/stack.ts";
import { backingStore } from "../backing/backing-store.ts";
import { changeNow } from "../backing/wanted.ts";
import { type BackingRow, deploymentStore } from "../store.ts";
import type { World } from "./step.ts";

/** The file of an environment names no limits yet: enough for a database of a small fleet. */
const limits = { cpu: 2, memory: 1024 ** 3 };
export const backingGraceMs = 30_000;

type At = Pick<BackingSpec, "environment" | "name">;

/** Wants a backing service as given. Why it does not take connections yet, or undefined when it does. */
export function ensureBacking(world: World, spec: BackingSpec, signal?: AbortSignal): Promise<string | undefined> {
  return holdBacking(world, spec, async () => {
    const present = await deploymentStore(world.db).backing(spec);
    const waits = await whyNotChanged(world, present, spec);
    if (waits) return waits;
    const row = await wantBacking(world, spec);
    return proven(world, spec, await runBacking(world, row, signal));
  });
}

/** Nothing changes below a backup or a restore, nor comes back while it is removed. */
async function whyNotChanged(
  { db }: World,
  row: BackingRow | undefined,
  spec: BackingSpec,
): Promise<string | undefined> {
  if (row?.removing) return `the backing service ${spec.name} is being removed`;
  const work = row && !isDeepStrictEqual(row.spec, spec) ? await backingStore(db).openWork(spec) : undefined;
  return work && `the backing service ${spec.name} is changed once its ${work.kind} has ended`;
}

/** Brings back one that should run: as its environment says now, where that may be changed, or as it was wanted last. */
export function keepBacking(world: World, at: At): Promise<void> {
  return holdBacking(world, at, async () => {
    const row = await deploymentStore(world.db).backing(at);
    if (!row || row.removing) return;
    const spec = await changeNow(world, row);
    await runBacking(world, spec ? await wantBacking(world, spec) : row, undefined);
  });
}

/** One after the other, whatever is done to it. */
export function holdBacking<T>(world: World, at: At, work: () => Promise<T>): Promise<T> {
  return world.backings.hold(lockOf(at), work);
}

function lockOf({ environment, name }: At): string {
  return `${environment} ${name}`;
}

function wantBacking({ db, emit }: World, spec: BackingSpec): Promise<BackingRow> {
  return db.transaction().execute(async (tx) => {
    const store = deploymentStore(tx);
    const before = await store.backing(spec);
    const row = await store.wantBacking(spec);
    const { environment, name } = spec;
    if (before && before.generation !== row.generation)
      await emit(tx, `backing:${environment}:${name}`, "deployments.backing-changed", {
        ...{ environment, name, change: "replaced", actor: "towline" },
      });
    return row;
  });
}

/** Its one container, under the network's name for it; others that it had are gone afterwards. */
export async function runBacking(world: World, row: BackingRow, signal: AbortSignal | undefined): Promise<Instance> {
  const { runtime } = world;
  const { environment, name, image, host } = row.spec;
  const instance = instanceOf(row);
  const call = signal ? { signal } : {};
  const present = await runtime.list({ backing: name, environment }, call);
  for (const other of present.filter((each) => each.name !== instance)) {
    await runtime.stop(other.id, { graceMs: backingGraceMs });
    await runtime.remove(other.id);
  }
  const found = present.find((each) => each.name === instance);
  if (found?.state === "running" && found.address) return found;
  await runtime.ensureNetwork(environment, call);
  await runtime.pull(image, { ...call, environment });
  const labels = { backing: name, environment };
  return runtime.start({ ...(await containerOf(world, row)), name: instance, labels, aliases: [host] }, call);
}

export const instanceOf = ({ environment, name, generation }: BackingRow) =>
  `backing-${environment}-${name}-g${generation}`;

/** The volume that has its data; none where nothing is kept. */
export function volumeOf({
  spec,
  volume,
}: Pick<BackingRow, "spec" | "volume">): { name: string; path: string } | undefined {
  return spec.volume && { ...spec.volume, name: volume ?? spec.volume.name };
}

/** All but name, labels and aliases. */
export async function containerOf(
  { fleet }: World,
  row: Pick<BackingRow, "spec" | "volume">,
): Promise<Omit<InstanceSpec, "name" | "labels">> {
  const { environment, name, image, variables } = row.spec;
  const volume = volumeOf(row);
  return {
    ...{ environment, kind: "backing", image, ...limits, graceMs: backingGraceMs },
    env: resolveBacking(variables, await fleet.backingPassword(environment, name)),
    ...(volume ? { volumes: [volume] } : {}),
  };
}

/** Its instance, where it runs. */
export async function runningBacking(
  { runtime }: Pick<World, "runtime">,
  row: BackingRow,
  call?: CallOptions,
): Promise<Instance | undefined> {
  const { environment, name } = row;
  const present = await runtime.list({ backing: name, environment }, call);
  return present.find((each) => each.name === instanceOf(row) && each.state === "running");
}

export async function proven(world: World, spec: BackingSpec, instance: Instance): Promise<string | undefined> {
  const { environment, name, port } = spec;
  const key = lockOf(spec);
  const life = `${instance.id} ${instance.startedAt?.toISOString()}`;
  if (world.provenBackings.get(key) === life) return undefined;
  if (!instance.address) return `the backing service ${name} has no address yet (${instance.state})`;
  const address = { host: instance.address, port };
  const { health, detail } = await world.routing.probe({ environment, name, address });
  if (health !== "up") return `the backing service ${name} takes no connections yet (${detail ?? "not checked yet"})`;
  await world.routing.endProbe({ environment, name });
  world.provenBackings.set(key, life);
  return undefined;
}
