/** HAProxy in a container, driven by its master's socket. */
import { rm } from "node:fs/promises";
import { type Balancer, type BalancerConfig, type CallOptions, emptySlot, type SlotChange } from "../contract.ts";
import { checkSlot } from "../rules.ts";
import { apply } from "./apply.ts";
import type { ContainerOptions } from "./container.ts";
import { writeConfig } from "./files.ts";
import { persist } from "./master.ts";
import { render } from "./render.ts";
import { recentRequests } from "./recent.ts";
import { settle } from "./settle.ts";
import { routeStats, servingIn, sessionsAt, slotsHealth } from "./stats.ts";
import { routeTimings } from "./timings.ts";
import { alone, type Call, createWorld, find, within, type World } from "./world.ts";

export type HaproxyOptions = ContainerOptions;

export function createHaproxyBalancer(options: HaproxyOptions): Balancer {
  const world = createWorld(options);
  const read = <T>(call: CallOptions | undefined, work: (call: Call) => Promise<T>) =>
    within({ deadlineMs: 10_000, ...call }, (limits) => persist(() => work(limits), limits.signal));
  const change = <T>(call: CallOptions | undefined, usualMs: number, work: (call: Call) => Promise<T>) =>
    alone(world, { deadlineMs: usualMs, ...call }, work);
  return {
    apply: (config, call) => change(call, 60_000, (limits) => apply(world, config, limits)),
    setSlots: (changes, call) => change(call, 10_000, (limits) => setSlots(world, changes, limits)),
    health: (slots, call) => read(call, (limits) => slotsHealth(world, slots, limits)),
    sessions: (route, slot, call) =>
      read(call, (limits) => sessionsAt(world, route, find(world, route, slot).slot, limits)),
    serving: (route, call) => read(call, (limits) => servingIn(world, route, limits)),
    stats: (route, call) => read(call, (limits) => routeStats(world, route, limits)),
    timings: (route, cursor, call) => read(call, (limits) => routeTimings(world, { route, cursor }, limits)),
    recent: (call) => read(call, (limits) => recentRequests(world, limits)),
    remove: (call) => change(call, 30_000, (limits) => remove(world, limits)),
  };
}

async function setSlots(world: World, changes: readonly SlotChange[], call: Call): Promise<void> {
  for (const { slot } of changes) checkSlot(slot);
  for (const { route, position } of changes) find(world, route, position);
  const changed = new Set(changes.map(({ route }) => route));
  world.config = withSlots(world.config, changes);
  await writeConfig(world.directory, render(world.config, world.subnets));
  const routes = world.config.routes.filter(({ id }) => changed.has(id));
  await settle(world, routes, call);
}

function withSlots({ routes }: BalancerConfig, changes: readonly SlotChange[]): BalancerConfig {
  const byRoute = Map.groupBy(changes, ({ route }) => route);
  return {
    routes: routes.map((route) => {
      const slots = [...route.slots];
      for (const { position, slot } of byRoute.get(route.id) ?? [])
        slots[position] = slot.address ? structuredClone(slot) : emptySlot;
      return { ...route, slots };
    }),
  };
}

async function remove(world: World, call: Call): Promise<void> {
  await world.container.remove(call);
  await rm(world.directory, { recursive: true, force: true });
  world.config = { routes: [] };
}
