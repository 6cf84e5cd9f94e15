/**
 * As many instances as the load asks for, of the deployment that serves. What is to come or to go is written down first and
 * then done, as often as it takes: whoever takes over after a crash goes on with it. A rollout looks after the number itself.
 */
import { moreNames } from "./core/instance-names.ts";
import type { Target } from "./core/rollout.ts";
import { type Sample, type Scaling, scaleOn, unscaled } from "./core/scale.ts";
import { laneKey } from "./lanes.ts";
import { bringIn, takeOut } from "./scale-moves.ts";
import { measureLoad } from "./steps/measure.ts";
import type { World } from "./steps/step.ts";
import { scalingStore } from "./scaling-store.ts";
import { type Served, servedAt, writeTarget } from "./served.ts";
import type { LaneRow } from "./store.ts";

export async function scaleAll(world: World): Promise<void> {
  const places = await scalingStore(world.db).lanes();
  const scaled = new Set<string>();
  // Beside each other, so that a busy service does not wait for the instances of another one to start.
  await Promise.all(
    places.map(async (place) => {
      const row = await servedAt(world, place);
      if (!row?.stack.scale) return;
      scaled.add(row.id);
      await scaleService(world, place, row).catch((error: unknown) =>
        world.log.warn({ err: error, service: row.service, environment: row.environment }, "a service is not scaled"),
      );
    }),
  );
  for (const id of world.readings.keys()) if (!scaled.has(id)) world.readings.delete(id);
}

async function scaleService(world: World, place: LaneRow, seen: Served): Promise<void> {
  const sample = await measureLoad(world, seen, seen.rollout.target.instances);
  await world.lanes.hold(laneKey(place), async () => {
    const row = await servedAt(world, place);
    if (row?.id !== seen.id) return;
    // Until those that leave a machine are gone there are more than are wanted.
    if (row.rollout.target.moving?.replaced) return;
    const moved = await carryOn(world, row);
    if (moved && isAsSeen(moved, seen)) await follow(world, moved, sample);
  });
}

function isAsSeen({ rollout }: Served, seen: Served): boolean {
  return JSON.stringify(rollout.target.instances) === JSON.stringify(seen.rollout.target.instances);
}

/** What was begun is finished, as far as it can be now. */
async function carryOn(world: World, row: Served): Promise<Served | undefined> {
  const { arriving = [], leaving = [] } = row.rollout.target.moving ?? {};
  if (arriving.length > 0) return bringIn(world, row, arriving);
  return leaving.length > 0 ? takeOut(world, row, leaving) : row;
}

async function follow(world: World, row: Served, sample: Sample): Promise<void> {
  const { scale } = row.stack;
  if (!scale) return;
  const known = await scalingStore(world.db).one(row);
  const before = known?.deployment === row.id ? known.state : unscaled;
  const scaling = scaleOn(before, scale, sample);
  const target = towards(world, row, scaling.wanted);
  if (!target) {
    if (JSON.stringify(before) !== JSON.stringify(scaling.state) || !known)
      await scalingStore(world.db).put(scalingOf(row, scaling));
    return;
  }
  const changed = await write(world, row, { target, scaling });
  if (changed) await carryOn(world, changed);
}

/** Undefined where nothing is to change now: one that goes is waited for before another one does. */
function towards(world: World, row: Served, wanted: number): Target | undefined {
  const { target } = row.rollout;
  const { instances } = target;
  const leaving = target.moving?.leaving ?? [];
  const missing = wanted - instances.length;
  if (missing > 0) {
    // Who is about to go knows the work already.
    const back = leaving.slice(0, missing).map(({ instance }) => instance);
    const taken = [...instances, ...leaving.map(({ instance }) => instance)];
    const arriving = [...back, ...moreNames(row, taken, missing - back.length)];
    return { ...target, moving: { arriving, leaving: leaving.slice(missing) } };
  }
  if (missing === 0 || leaving.length > 0) return undefined;
  const since = world.clock.now().toISOString();
  const goes = instances.slice(wanted).map((instance) => ({ instance, since }));
  return { ...target, instances: instances.slice(0, wanted), moving: { arriving: [], leaving: goes } };
}

function scalingOf({ id, service, environment }: Served, { state }: Scaling) {
  return { service, environment, deployment: id, state };
}

function write(
  world: World,
  row: Served,
  { target, scaling }: { target: Target; scaling: Scaling },
): Promise<Served | undefined> {
  const { service, environment, id } = row;
  const from = row.rollout.target.instances.length;
  return writeTarget(world, row, target, async (tx) => {
    await scalingStore(tx).put(scalingOf(row, scaling));
    const payload = { service, environment, from, to: scaling.wanted, reason: scaling.state.words };
    await world.emit(tx, `deployment:${id}`, "deployments.scaled", payload);
  });
}
