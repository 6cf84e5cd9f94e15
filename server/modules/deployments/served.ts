/** The deployment that serves in a lane, while nothing else is on its way there. */
import type { Stack } from "#stack/stack.ts";
import type { Tx } from "#kernel/database.ts";
import { backingStore, type WorkRow } from "./backing/backing-store.ts";
import type { Rollout, Target } from "./core/rollout.ts";
import type { World } from "./steps/step.ts";
import { type DeploymentRow, deploymentStore, type Place } from "./store.ts";

export type Served = DeploymentRow & { release: number; stack: Stack; rollout: Rollout & { target: Target } };

/** Whether its instances rest while data that they use is restored. */
export async function isHeld({ db }: World, { environment, backing }: Stack): Promise<boolean> {
  const works = await backingStore(db).openWorks();
  const isIts = (work: WorkRow) => work.environment === environment && backing.some(({ name }) => name === work.name);
  return works.some((work) => work.kind === "restore" && work.phase !== "waiting" && isIts(work));
}

/** Nothing while a rollout is on its way, or its instances rest. */
export async function servedAt(world: World, place: Place): Promise<Served | undefined> {
  const store = deploymentStore(world.db);
  const lane = await store.lane(place);
  const row = lane && !lane.running && lane.serving ? await store.one(lane.serving) : undefined;
  if (!row?.stack || !row.rollout?.target || row.release === null) return undefined;
  return (await isHeld(world, row.stack)) ? undefined : (row as Served);
}

/** Undefined when another deployment has begun meanwhile, or serves by now: the number is its own then. */
export function writeTarget(
  { db }: World,
  row: Served,
  target: Target,
  also: (tx: Tx) => Promise<void> = async () => {},
): Promise<Served | undefined> {
  return db.transaction().execute(async (tx) => {
    const store = deploymentStore(tx);
    const lane = await store.lockLane(row);
    if (lane.running !== null || lane.serving !== row.id) return undefined;
    await also(tx);
    return (await store.change(row.id, { rollout: { ...row.rollout, target } })) as Served;
  });
}
