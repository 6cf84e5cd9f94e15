/** How instances with traffic do, from the engine and from the balancer. */
import { type CallOptions, type Instance, whyNotServing } from "#drivers/runtime/contract.ts";
import type { InstanceStats } from "#routing";
import type { Intent } from "../core/intents.ts";
import type { Target } from "../core/rollout.ts";
import type { Counts, Look } from "../core/watch.ts";
import { deploymentStore } from "../store.ts";
import { instancesOf, runAndPlace, tailOf } from "./instances.ts";
import { type Answer, type PlannedWork, withTail, type World } from "./step.ts";

export async function look(
  world: World,
  work: PlannedWork,
  intent: Extract<Intent, { type: "look" }>,
): Promise<Answer> {
  const { instances, draining } = intent;
  await keepOld(world, work.rollout.target, intent.keep);
  const [present, health, counted, sessions] = await Promise.all([
    instancesOf(world, work.id),
    world.routing.health(instances),
    measure(world, work, intent.timed),
    world.routing.sessions(draining),
  ]);
  const trouble = await firstTrouble(world, present, instances);
  const sick = instances.find((name) => health[name]?.health === "down");
  const unhealthy = sick && `${sick} is not healthy any more: ${health[sick]?.detail ?? "its check fails"}`;
  return {
    type: "looked",
    look: { ...counted, ...(unhealthy ? { unhealthy } : {}) },
    sessions,
    ...(trouble === undefined ? {} : { trouble }),
  };
}

/** What the balancer has counted of both releases, and how long they took where that is asked. */
export async function measure({ routing, log }: World, { rollout }: PlannedWork, timed: boolean): Promise<Look> {
  const { instances, old } = rollout.target;
  const stats = await routing.stats([...instances, ...old]);
  const counted = { epoch: stats.epoch, fresh: countsOf(stats, instances), old: countsOf(stats, old) };
  if (!timed) return counted;
  const read = await routing.timings([...instances, ...old], rollout.watch?.cursor).catch((error: unknown) => {
    // Counts are the more important half: they must not be lost with the times.
    log.warn({ err: error }, "how long requests take could not be read");
    return undefined;
  });
  if (!read) return counted;
  const timesOf = (names: readonly string[]) => names.flatMap((name) => read.times[name] ?? []);
  return { ...counted, times: { cursor: read.cursor, fresh: timesOf(instances), old: timesOf(old) } };
}

function countsOf({ counters }: InstanceStats, instances: readonly string[]): Counts {
  const known = instances.flatMap((name) => {
    const found = counters[name];
    if (!found) return [];
    const { requests, serverErrors, connectionErrors } = found;
    return [[name, { requests, errors: serverErrors + connectionErrors }] as const];
  });
  return Object.fromEntries(known);
}

/** A person may take hours to decide: old instances that end meanwhile are brought back, as the supervisor would. */
async function keepOld(world: World, target: Target, names: readonly string[]): Promise<void> {
  if (names.length === 0 || target.previous === null) return;
  const present = await instancesOf(world, target.previous);
  const gone = names.filter((name) => !present.some((each) => each.name === name && each.state !== "exited"));
  if (gone.length > 0) await runPrevious(world, target, { names: gone, call: {} });
}

/** Makes instances of the release before run, each with a slot. */
export async function runPrevious(
  world: World,
  { previous: id }: Pick<Target, "previous">,
  request: { names: readonly string[]; call: CallOptions },
): Promise<void> {
  if (request.names.length === 0) return;
  const previous = id === null ? undefined : await deploymentStore(world.db).one(id);
  if (!previous?.stack) throw new Error("the deployment before has no stack");
  await runAndPlace(world, { id: previous.id, stack: previous.stack }, request);
}

/** Of these instances, the first that does not run steadily, with its last lines. */
export async function firstTrouble(
  world: World,
  present: readonly Instance[],
  names: readonly string[],
): Promise<string | undefined> {
  for (const name of names) {
    const instance = present.find((each) => each.name === name);
    if (!instance) return `${name} is gone`;
    const why = whyNotServing(instance);
    if (why !== undefined) return withTail(`${name}: ${why}`, await tailOf(world, instance.id));
  }
  return undefined;
}
