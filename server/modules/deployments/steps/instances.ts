/** Containers of deployments: started, looked at, and removed when nothing leads to them any more. */
import { type CallOptions, type Instance, type InstanceSpec, RuntimeError } from "#drivers/runtime/contract.ts";
import type { Resolved } from "#stack/resolve-variables.ts";
import type { Stack } from "#stack/stack.ts";
import type { World } from "./step.ts";
import { readVariables } from "./values.ts";

interface Owner {
  id: string;
  stack: Stack;
}

function labelsOf({ id, stack }: Owner): Record<string, string> {
  const { service, environment, release } = stack;
  return { service, environment, deployment: id, release: String(release.number) };
}

export async function pullImage(
  { runtime, registry }: World,
  { image, environment }: Stack,
  call: CallOptions,
): Promise<void> {
  const repository = image.replace(/^[^/]*\//, "").replace(/@.*$/, "");
  const auth = await registry.auth?.(repository);
  await runtime.pull(image, { ...call, environment, ...(auth ? { auth } : {}) });
}

/** What both an instance and the migration of a stack are made of. @param resolved the stack's variables and files, as they are read now */
export function containerOf(owner: Owner, name: string, { values: env, files }: Resolved) {
  const { environment, image, limits } = owner.stack;
  const placed = Object.entries(files).map(([path, content]) => ({ path, content, uid: "image" as const }));
  const container = { name, environment, image, env, labels: labelsOf(owner), ...limits };
  return placed.length > 0 ? { ...container, files: placed } : container;
}

function specOf(owner: Owner, name: string, resolved: Resolved): InstanceSpec {
  const { command, rollout } = owner.stack;
  const container = containerOf(owner, name, resolved);
  return { ...container, kind: "service", graceMs: rollout.stopGraceMs, ...(command ? { command } : {}) };
}

/** Runs, whatever was there under that name before: a half-made one, or one with other variables, is made anew. */
async function ensureInstance(
  { runtime }: World,
  { owner, spec }: { owner: Owner; spec: InstanceSpec },
  call: CallOptions,
): Promise<Instance> {
  const { name } = spec;
  try {
    return await runtime.start(spec, call);
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code !== "name-taken") throw error;
    const present = (await instancesOf({ runtime }, owner.id)).find((each) => each.name === name);
    if (present?.state === "running" && present.address) return present;
    if (present) await runtime.remove(present.id);
    return runtime.start(spec, call);
  }
}

/** All traffic to these, in equal parts. */
export function evenly(instances: readonly string[]): Record<string, number> {
  return Object.fromEntries(instances.map((name) => [name, 100]));
}

/** Makes them run and gives each a slot without traffic; one that has a slot keeps its traffic. */
export async function runAndPlace(
  world: World,
  owner: Owner,
  { names, call }: { names: readonly string[]; call: CallOptions },
): Promise<void> {
  const { stack } = owner;
  const resolved = await readVariables(world.fleet, stack);
  const specs = names.map((name) => specOf(owner, name, resolved));
  const instances = await Promise.all(specs.map((spec) => ensureInstance(world, { owner, spec }, call)));
  await world.routing.place({
    ...{ service: stack.service, environment: stack.environment, healthPath: stack.health.path },
    instances: instances.map(({ name, address }) => ({
      instance: name,
      address: { host: address ?? "", port: stack.port },
    })),
  });
}

export function instancesOf({ runtime }: Pick<World, "runtime">, deployment: string): Promise<Instance[]> {
  return runtime.list({ deployment });
}

/** Stops instances of a place, whichever deployment made them; they can be started again. */
export async function stopSome(
  { runtime }: Pick<World, "runtime">,
  { service, environment, rollout: { stopGraceMs: graceMs } }: Stack,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const present = (await runtime.list({ service, environment })).filter(({ name }) => names.includes(name));
  await Promise.all(present.map(({ id }) => runtime.stop(id, { graceMs })));
}

interface Removal {
  /** Time between asking to end and killing. */
  graceMs: number;
  /** Only containers of this kind. */
  kind?: Instance["kind"];
}

/**
 * Ends the containers of a deployment and removes them; they must be out of their slots. They end together, and are removed one
 * after the other: an engine (20.10) that was asked to remove many at once may never answer again.
 */
export async function removeAll(world: World, deployment: string, { graceMs, kind }: Removal): Promise<void> {
  const { runtime } = world;
  const present = await instancesOf(world, deployment);
  const chosen = present.filter((each) => kind === undefined || each.kind === kind);
  await Promise.all(chosen.map(({ id }) => runtime.stop(id, { graceMs })));
  for (const { id } of chosen) await runtime.remove(id);
}

/** Last words of an instance; none when they cannot be had. */
export async function tailOf({ runtime }: World, id: string): Promise<string[]> {
  return runtime.logs(id, { lines: 15 }).catch(() => []);
}
