/** Slots of concurrency groups, in the transactions that need or free them. */
import type { Database, Tx } from "#kernel/database.ts";
import { notify } from "#kernel/database.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import { isWork, plannedOf, stepOf } from "#pipeline/machine/steps.ts";
import { type Change, removedBy } from "../core/change.ts";
import { concurrencyOf, slotStanding } from "../core/slots.ts";
import { changeOfSlots, jobChannel } from "../channels.ts";
import type { Machine } from "../machine.ts";
import { slotStore } from "./slot-store.ts";

export const slotTask = "builds.slots";

/** Later, and in a transaction of their own, steps of the group that the server asks for get their chance. */
const letNextIn = (jobs: Jobs, tx: Tx, group: string) =>
  jobs.add(tx, slotTask, { group }, { key: `${slotTask}:${group}` });

/** Takes the slot that a ready step needs, if it needs one; false when it may not have it now. */
export async function takeSlot(jobs: Jobs, tx: Tx, change: Change, step: string): Promise<boolean> {
  const concurrency = concurrencyOf(plannedOf(change.state, step));
  if (!concurrency) return true;
  const store = slotStore(tx);
  const slot = slotOf(change, step);
  if (slot && !slot.held) await store.putSlot(slot);
  if (await store.tryLockGroup(concurrency.group)) {
    const taken = await store.takeSlot({ build: change.build.id, step });
    if (taken) await notify(tx, changeOfSlots);
    return taken;
  }
  await letNextIn(jobs, tx, concurrency.group);
  return false;
}

/** Brings the rows up to what happened; a slot that becomes free lets the next in. */
export async function saveSlots(jobs: Jobs, tx: Tx, change: Change): Promise<void> {
  const changed = new Set(change.events.flatMap((event) => ("step" in event ? [event.step] : [])));
  const freed = new Set<string>();
  for (const { key, ...planned } of change.state.plan.steps) {
    const group = "concurrency" in planned ? planned.concurrency?.group : undefined;
    if (!changed.has(key) || group === undefined) continue;
    const slot = slotOf(change, key);
    if (slot) await slotStore(tx).putSlot(slot);
    else if (await slotStore(tx).removeSlot(change.build.id, key)) freed.add(group);
  }
  // One that waited in a group and was taken away lets those behind it have their turn.
  for (const step of removedBy(change.events)) {
    const before = change.build.machine?.plan.steps.find(({ key }) => key === step);
    const { group } = (before && concurrencyOf(before)) ?? {};
    if (group !== undefined && (await slotStore(tx).removeSlot(change.build.id, step))) freed.add(group);
  }
  for (const group of freed) await letNextIn(jobs, tx, group);
  if (freed.size > 0) await notify(tx, jobChannel, changeOfSlots);
}

function slotOf({ build, state }: Change, step: string) {
  const planned = plannedOf(state, step);
  const concurrency = concurrencyOf(planned);
  const standing = slotStanding(stepOf(state, step).status);
  if (!concurrency || !standing) return undefined;
  const { group, limit, method } = concurrency;
  return {
    ...{ build: build.id, step, group_name: group, slot_limit: limit, ordered: method === "ordered" },
    ...{ is_job: isWork(planned), held: standing === "held" },
    ...{ sequence: build.sequence, position: state.plan.steps.indexOf(planned) },
  };
}

/** Deployments and triggered builds that wait for a slot of the group; agents look for jobs by themselves. */
export function letIn({ db, machine }: { db: Database; machine: Machine }): Task {
  return async (payload) => {
    const { group } = payload as { group: string };
    for (const { build } of await slotStore(db).waitingRequests(group))
      await db.transaction().execute((tx) => machine.nudge(tx, build));
  };
}
