/** Instances that come and go with the load. Each step may be repeated. */
import type { Moving } from "./core/rollout.ts";
import { type Served, writeTarget } from "./served.ts";
import { evenly, instancesOf, runAndPlace } from "./steps/instances.ts";
import { answerTo, type World } from "./steps/step.ts";

/** They run, have slots and get their part of the traffic as soon as the balancer finds them healthy. */
export async function bringIn(world: World, row: Served, arriving: readonly string[]): Promise<Served | undefined> {
  const { target } = row.rollout;
  const tried = await Promise.all(arriving.map(async (name) => ({ name, trouble: await bringOne(world, row, name) })));
  const come = tried.filter(({ trouble }) => trouble === undefined).map(({ name }) => name);
  const instances = [...target.instances, ...come];
  const moving: Moving = { leaving: [], ...target.moving, arriving: [] };
  const changed = await writeTarget(world, row, { ...target, instances, moving }, async (tx) => {
    for (const { name, trouble } of tried)
      if (trouble !== undefined)
        await world.emit(tx, `deployment:${row.id}`, "deployments.scaling-troubled", told(row, name, trouble));
  });
  if (changed) await world.routing.shift(row, evenly(instances));
  return changed;
}

/** Why it does not run; it is gone then. What may be otherwise in a moment throws, and is tried again. */
async function bringOne(world: World, row: Served, name: string): Promise<string | undefined> {
  try {
    await runAndPlace(world, row, { names: [name], call: {} });
    return undefined;
  } catch (error) {
    const answer = answerTo(error);
    if (answer.type !== "failed") throw error;
    await removeOne(world, row, name);
    return answer.reason.split("\n")[0] ?? "";
  }
}

/** Those whose requests have ended, or whose time is over, are ended. */
export async function takeOut(world: World, row: Served, leaving: Moving["leaving"]): Promise<Served | undefined> {
  const { target } = row.rollout;
  const placed = await world.routing.placed();
  const open = leaving.filter(({ instance }) => placed.get(instance)?.state === "ready");
  if (open.length > 0) await world.routing.shift(row, evenly(target.instances));
  const now = world.clock.now();
  // A rollout that was taken back may have given it traffic again: its time begins now.
  const since = (each: Moving["leaving"][number]) => (open.includes(each) ? now.toISOString() : each.since);
  const looked = await Promise.all(
    leaving.map(async (each) => {
      const sessions = await world.routing.sessions([each.instance]);
      const late = now.getTime() - Date.parse(since(each)) >= row.stack.rollout.drainMs;
      return { ...each, since: since(each), sessions, over: sessions === 0 || late };
    }),
  );
  const gone = looked.filter(({ over }) => over);
  for (const { instance } of gone) await removeOne(world, row, instance);
  const left = looked.filter(({ over }) => !over).map(({ instance, since: began }) => ({ instance, since: began }));
  return writeTarget(
    world,
    row,
    { ...target, moving: { ...target.moving, arriving: [], leaving: left } },
    async (tx) => {
      for (const { instance, sessions } of gone)
        if (sessions > 0)
          await world.emit(
            tx,
            `deployment:${row.id}`,
            "deployments.scaling-troubled",
            told(row, instance, `${sessions} open requests were cut off when the drain time was over`),
          );
    },
  );
}

/** Out of its slot first: only then may it end. */
async function removeOne(world: World, row: Served, name: string): Promise<void> {
  await world.routing.release([name]);
  const found = (await instancesOf(world, row.id)).find((each) => each.name === name);
  if (!found) return;
  await world.runtime.stop(found.id, { graceMs: row.stack.rollout.stopGraceMs });
  await world.runtime.remove(found.id);
}

function told({ service, environment }: Served, instance: string, trouble: string) {
  return { service, environment, instance, trouble };
}
