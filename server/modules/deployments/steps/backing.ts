/** A backing service runs as its environment says. Another specification replaces it, the old one ended first; its volume is never removed. */
import type { Instance } from "#drivers/runtime/contract.ts";
import { resolveBacking } from "#stack/resolve-variables.ts";
import type { BackingSpec } from "#stack/stack.ts";
import { type BackingRow, deploymentStore } from "../store.ts";
import type { World } from "./step.ts";

/** The file of an environment names no limits yet: enough for a database of a small fleet. */
const limits = { cpu: 2, memory: 1024 ** 3 };
const stopGraceMs = 30_000;

/** Wants a backing service as given. Why it does not take connections yet, or undefined when it does. */
export function ensureBacking(world: World, spec: BackingSpec, signal?: AbortSignal): Promise<string | undefined> {
  return world.backings.hold(lockOf(spec), async () => {
    const row = await world.db.transaction().execute((tx) => deploymentStore(tx).wantBacking(spec));
    return proven(world, spec, await run(world, row, signal));
  });
}

/** Brings back one that should run, as it was wanted last. */
export function keepBacking(world: World, at: Pick<BackingSpec, "environment" | "name">): Promise<void> {
  return world.backings.hold(lockOf(at), async () => {
    const row = await deploymentStore(world.db).backing(at);
    if (row) await run(world, row, undefined);
  });
}

function lockOf({ environment, name }: Pick<BackingSpec, "environment" | "name">): string {
  return `${environment} ${name}`;
}

async function run(world: World, { generation, spec }: BackingRow, signal: AbortSignal | undefined): Promise<Instance> {
  const { fleet, runtime } = world;
  const { environment, name } = spec;
  const instance = `backing-${environment}-${name}-g${generation}`;
  const call = signal ? { signal } : {};
  const present = await runtime.list({ backing: name, environment }, call);
  for (const other of present.filter((each) => each.name !== instance)) {
    await runtime.stop(other.id, { graceMs: stopGraceMs });
    await runtime.remove(other.id);
  }
  const found = present.find((each) => each.name === instance);
  if (found?.state === "running" && found.address) return found;
  await runtime.pull(spec.image, call);
  const password = await fleet.backingPassword(environment, name);
  return runtime.start(
    {
      ...{ name: instance, environment, kind: "backing", image: spec.image, ...limits },
      env: resolveBacking(spec.variables, password),
      labels: { backing: name, environment },
      aliases: [spec.host],
      ...(spec.volume ? { volumes: [spec.volume] } : {}),
    },
    call,
  );
}

async function proven(world: World, spec: BackingSpec, instance: Instance): Promise<string | undefined> {
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
