/**
 * Compares what runs with what should run: instances that vanished or moved are brought back, containers that nothing needs
 * are removed, deployments that nobody carries on are taken up again. Level-triggered: it only looks, never remembers.
 */
import type { Instance } from "#drivers/runtime/contract.ts";
import { notify } from "#kernel/database.ts";
import { changeOf } from "#kernel/event-feed.ts";
import type { Advance } from "./advance.ts";
import { retire } from "./backing/retire.ts";
import { isTold, restartOf } from "./core/restarts.ts";
import type { Drift } from "./core/drift.ts";
import { healthOf } from "./core/health.ts";
import { readDrift } from "./drift.ts";
import { laneKey } from "./lanes.ts";
import { clearEmptyEnvironments, clearGoneServices } from "./left-over.ts";
import { leaveMachines } from "./leave-machines.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { endLost } from "./programs/begin.ts";
import { tendPreview } from "./previews/end-preview.ts";
import { previewStore } from "./previews/preview-store.ts";
import { isHeld, type Served } from "./served.ts";
import { keepBacking } from "./steps/backing.ts";
import { evenly, runAndPlace } from "./steps/instances.ts";
import type { World } from "./steps/step.ts";
import { type DeploymentRow, deploymentStore, type LaneRow } from "./store.ts";

/** What serves became healthy, or is so no more. */
const changeOfHealth = changeOf("health");

export interface Supervisor {
  world: World;
  lifecycle: Lifecycle;
  advance: Advance;
}

export async function supervise({ world, lifecycle, advance }: Supervisor): Promise<void> {
  const store = deploymentStore(world.db);
  await carryOn({ world, lifecycle, advance });
  const instances = await world.runtime.list({});
  const present = new Set(instances.map(({ name }) => name));
  for (const name of world.restarts.keys()) if (!present.has(name)) world.restarts.delete(name);
  const lanes = await store.lanes();
  const serving = await store.many(lanes.flatMap((lane) => lane.serving ?? []));
  const placed = await world.routing.placed();
  for (const lane of lanes) {
    const row = serving.find(({ id }) => id === lane.serving);
    // Most are as they should be: one look at all of them tells so.
    if (!row || lane.running || isWell(world, row, { instances, placed })) continue;
    await guarded(world, () => world.lanes.hold(laneKey(lane), () => repair(world, lane, instances)));
  }
  for (const preview of await previewStore(world.db).unended())
    await guarded(world, () => tendPreview({ world, lifecycle, advance }, preview));
  for (const backing of await store.backings())
    await guarded(world, () => (backing.removing ? retire(world, backing) : keepBacking(world, backing)));
  await guarded(world, () => tellHealth(world, instances));
  await guarded(world, () => endLost(world));
  await guarded(world, () => removeOrphans(world, instances));
  await guarded(world, () => clearGoneServices(world, instances));
  await guarded(world, () => clearEmptyEnvironments(world, instances));
}

/** Nothing here may stand in the way of the rest; the next pass tries again. */
async function guarded({ log }: World, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) =>
    log.warn({ err: error }, "something that should run could not be looked after"),
  );
}

async function carryOn({ world, lifecycle, advance }: Supervisor): Promise<void> {
  const open = await deploymentStore(world.db).open();
  const left = open.filter(({ id }) => !advance.isActive(id));
  await world.db.transaction().execute(async (tx) => {
    for (const row of left)
      await (row.state === "running"
        ? lifecycle.queueAdvance(tx, row.id, { keep: true })
        : lifecycle.queueSettle(tx, row, { keep: true }));
  });
}

type Seen = Pick<Parameters<typeof readDrift>[1], "instances" | "placed">;

/** There is nothing to bring back, to carry on or to tell. */
function isWell(world: World, row: DeploymentRow, seen: Seen): boolean {
  const { instances: names = [], moving } = row.rollout?.target ?? {};
  if (moving || readDrift(row, { ...seen, known: new Set([row.id]) }).words.length > 0) return false;
  if (restartsToTell(world, seen.instances, names).length > 0) return false;
  world.drifts.delete(laneKey(row));
  return true;
}

/** A rollout looks after its own instances; without one, those of the release that serves must run and have the traffic. */
async function repair(world: World, place: LaneRow, instances: readonly Instance[]): Promise<void> {
  const store = deploymentStore(world.db);
  const lane = await store.lane(place);
  const row = lane && !lane.running && lane.serving ? await store.one(lane.serving) : undefined;
  if (!row?.stack || !row.rollout?.target || (await isHeld(world, row.stack))) return;
  await tellRestarts(world, row, instances);
  const drift = await driftNow(world, row, instances);
  await tell(world, row, drift.words);
  if (drift.broken.length === 0) return leaveMachines(world, row as Served, instances);
  world.log.warn({ drift: drift.words, service: row.service, environment: row.environment }, "bringing back instances");
  for (const { id, name } of instances) if (drift.changed.includes(name)) await world.runtime.remove(id);
  await runAndPlace(world, row as Served, { names: drift.broken, call: {} });
  await world.routing.shift(row, evenly(row.rollout.target.instances));
}

/** What was seen before the lane was held may be too old to find fault with: looked at again, it counts. */
async function driftNow({ runtime, routing }: World, row: DeploymentRow, seen: readonly Instance[]): Promise<Drift> {
  const known = new Set([row.id]);
  const first = readDrift(row, { instances: seen, placed: await routing.placed(), known });
  if (first.words.length === 0) return first;
  return readDrift(row, { instances: await runtime.list({}), placed: await routing.placed(), known });
}

/** Once for each state of things, so that what cannot be repaired does not fill the record. */
async function tell(
  { db, emit, drifts }: World,
  { id, service, environment }: DeploymentRow,
  words: string[],
): Promise<void> {
  const key = laneKey({ service, environment });
  const before = drifts.get(key) ?? "";
  const now = words.join("\n");
  if (now === before) return;
  drifts.set(key, now);
  if (now === "") return;
  await db
    .transaction()
    .execute((tx) =>
      emit(tx, `deployment:${id}`, "deployments.drift-found", { service, environment, drift: words.slice(0, 50) }),
    );
}

/** A release that was watched long enough is not taken back; that its instances end by themselves must not go unnoticed. */
async function tellRestarts(
  world: World,
  { id, service, environment, rollout }: DeploymentRow,
  instances: readonly Instance[],
): Promise<void> {
  const { db, emit, restarts: told } = world;
  for (const instance of restartsToTell(world, instances, rollout?.target?.instances ?? [])) {
    const { name, restarts } = instance;
    told.set(name, restarts);
    const payload = { service, environment, instance: name, restarts, words: restartOf(instance) ?? "" };
    await db.transaction().execute((tx) => emit(tx, `deployment:${id}`, "deployments.instance-restarted", payload));
  }
}

function restartsToTell(
  { restarts: told }: World,
  instances: readonly Instance[],
  names: readonly string[],
): Instance[] {
  return instances.filter(({ name, restarts }) => names.includes(name) && isTold(restarts, told.get(name) ?? 0));
}

/** Health is no event, it would fill the record: whoever looks at the fleet is told to look again. */
async function tellHealth({ db, routing, healths }: World, instances: readonly Instance[]): Promise<void> {
  const store = deploymentStore(db);
  const serving = await store.many((await store.lanes()).flatMap((lane) => lane.serving ?? []));
  const namesOf = ({ rollout }: DeploymentRow) => rollout?.target?.instances ?? [];
  const health = await routing.health(serving.flatMap(namesOf));
  const seen = serving.map((row) => [row.id, JSON.stringify(healthOf(namesOf(row), { instances, health }))] as const);
  const isNew = seen.some(([id, now]) => healths.get(id) !== now);
  healths.clear();
  for (const [id, now] of seen) healths.set(id, now);
  if (isNew) await notify(db, changeOfHealth);
}

/** Containers of deployments that neither serve nor are on their way, nor were there before one that is. */
async function removeOrphans({ db, runtime, routing }: World, instances: readonly Instance[]): Promise<void> {
  const store = deploymentStore(db);
  const lanes = await store.lanes();
  const running = (await store.open()).filter(({ state }) => state === "running");
  const needed = new Set(
    [
      ...lanes.flatMap((lane) => [lane.serving, lane.running]),
      ...running.flatMap(({ id, rollout }) => [id, rollout?.target?.previous]),
    ].filter((id) => typeof id === "string"),
  );
  for (const { id, name, labels } of instances) {
    const deployment = labels["deployment"];
    if (deployment === undefined || needed.has(deployment)) continue;
    await routing.release([name]);
    await runtime.stop(id, { graceMs: 10_000 });
    await runtime.remove(id);
  }
}
