/** The services that use a backing service: held while its data is exchanged, so that nobody writes what is lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { isRefusal } from "#api/errors.ts";
import { laneKey } from "../lanes.ts";
import { evenly, instancesOf, runAndPlace } from "../steps/instances.ts";
import type { World } from "../steps/step.ts";
import { type DeploymentRow, deploymentStore } from "../store.ts";
import type { At } from "./backing-store.ts";

type Serving = DeploymentRow & { stack: NonNullable<DeploymentRow["stack"]> };

/** What serves in the environment and uses it. */
export async function usersOf({ db }: Pick<World, "db">, { environment, name }: At): Promise<Serving[]> {
  const store = deploymentStore(db);
  const lanes = (await store.lanes()).filter((lane) => lane.environment === environment);
  const serving = await store.many(lanes.flatMap((lane) => lane.serving ?? []));
  return serving.filter((row): row is Serving => row.stack?.backing.some((each) => each.name === name) ?? false);
}

/** Services whose routes are open, which a hold is to close and to open again. */
export async function openAmong({ routing }: World, users: readonly Serving[]): Promise<string[]> {
  const closed = await routing.closed();
  const isClosed = ({ service, environment }: Serving) =>
    closed.some((each) => each.service === service && each.environment === environment);
  return users.filter((row) => !isClosed(row)).map(({ service }) => service);
}

interface Hold {
  at: At;
  /** Services whose routes are closed for it. */
  held: readonly string[];
  /** Until a route opens by itself, should nobody open it. */
  forMs: number;
  by: string;
}

/** Answers people with a page of maintenance, and stops the instances; supervision lets them rest while the restore runs. */
export async function holdUsers(world: World, { at, held, forMs, by }: Hold): Promise<void> {
  const reason = `${at.name} is being restored`;
  for (const row of await usersOf(world, at)) {
    const change = { mode: "maintenance", forMs, by, reason } as const;
    if (held.includes(row.service)) await world.routing.setMode(row, change);
    await world.lanes.hold(laneKey(row), async () => {
      const graceMs = row.stack.rollout.stopGraceMs;
      for (const { id, kind } of await instancesOf(world, row.id))
        if (kind === "service") await world.runtime.stop(id, { graceMs });
    });
  }
}

/** Starts them again and opens their routes once they are healthy, or at the deadline. */
export async function releaseUsers(world: World, { at, held }: Pick<Hold, "at" | "held">): Promise<void> {
  const users = await usersOf(world, at);
  for (const row of users) await world.lanes.hold(laneKey(row), () => bringBack(world, row));
  const names = users.flatMap(({ rollout }) => rollout?.target?.instances ?? []);
  const end = Date.now() + world.timing.settleMs;
  while (Date.now() < end && !(await areHealthy(world, names))) await sleep(world.timing.pollMs);
  const { environment } = at;
  for (const service of held) {
    const refused = await world.routing.setMode({ service, environment }, { mode: "open", by: "towline" });
    if (isRefusal(refused)) world.log.info({ service, environment }, "a route that was held is gone");
  }
}

async function bringBack(world: World, row: Serving): Promise<void> {
  const names = row.rollout?.target?.instances ?? [];
  await runAndPlace(world, row, { names, call: {} });
  await world.routing.shift(row, evenly(names));
}

async function areHealthy({ routing }: World, names: readonly string[]): Promise<boolean> {
  const health = await routing.health(names);
  return names.every((name) => health[name]?.health === "up");
}
