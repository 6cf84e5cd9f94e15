/** Instances on machines that are to be left: for each another one comes first; when that is healthy, the former finishes what it has and goes. */
import type { Instance } from "#drivers/runtime/contract.ts";
import { moreNames } from "./core/instance-names.ts";
import type { Moving } from "./core/rollout.ts";
import { bringIn, takeOut } from "./scale-moves.ts";
import { type Served, writeTarget } from "./served.ts";
import type { World } from "./steps/step.ts";

/** Where no other machine takes an instance it is not asked for again and again. */
const againMs = 60_000;

/** One step; what is begun is written down, so that whoever takes over goes on with it. The lane must be held. */
export async function leaveMachines(world: World, row: Served, present: readonly Instance[]): Promise<void> {
  const { instances, moving } = row.rollout.target;
  const { arriving = [], leaving = [], replaced } = moving ?? {};
  if (arriving.length > 0) await bringIn(world, row, arriving);
  else if (leaving.length > 0) await takeOut(world, row, leaving);
  else if (replaced) await replace(world, row, replaced);
  else {
    const left = new Set(present.filter((each) => each.leaving !== undefined).map(({ name }) => name));
    const names = instances.filter((name) => left.has(name));
    if (names.length > 0 && !isStuck(world, row)) await begin(world, row, names);
  }
}

function isStuck({ clock, stuck }: World, { id }: Served): boolean {
  return clock.now().getTime() - (stuck.get(id)?.getTime() ?? 0) < againMs;
}

async function begin(world: World, row: Served, names: readonly string[]): Promise<void> {
  const { target } = row.rollout;
  const arriving = moreNames(row, target.instances, names.length);
  const replaced = names.map((instance, index) => ({ instance, by: arriving[index] ?? "" }));
  const changed = await writeTarget(world, row, { ...target, moving: { arriving, leaving: [], replaced } });
  if (changed) await bringIn(world, changed, arriving);
}

/** Those in whose place nobody came stay. */
async function replace(world: World, row: Served, replaced: NonNullable<Moving["replaced"]>): Promise<void> {
  const { target } = row.rollout;
  const come = replaced.filter(({ by }) => target.instances.includes(by));
  if (come.length < replaced.length) world.stuck.set(row.id, world.clock.now());
  const health = await world.routing.health(come.map(({ by }) => by));
  if (come.some(({ by }) => health[by]?.health !== "up")) return;
  const gone = come.map(({ instance }) => instance);
  const since = world.clock.now().toISOString();
  const leaving = gone.map((instance) => ({ instance, since }));
  const instances = target.instances.filter((name) => !gone.includes(name));
  const changed = await writeTarget(world, row, { ...target, instances, moving: { arriving: [], leaving } });
  if (changed) await takeOut(world, changed, leaving);
}
