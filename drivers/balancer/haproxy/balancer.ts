/** HAProxy in a container, driven by its master's socket. */
import { rm } from "node:fs/promises";
import { type Balancer, type BalancerConfig, type CallOptions, emptySlot, type Slot } from "../contract.ts";
import { checkSlot } from "../rules.ts";
import { apply } from "./apply.ts";
import type { ContainerOptions } from "./container.ts";
import { writeConfig } from "./files.ts";
import { persist } from "./master.ts";
import { render } from "./render.ts";
import { recentRequests } from "./recent.ts";
import { settle } from "./settle.ts";
import { routeStats, servingIn, sessionsAt, slotHealth } from "./stats.ts";
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
    setSlot: (route, slot, wanted, call) =>
      change(call, 10_000, (limits) => setSlot(world, { route, index: slot, wanted }, limits)),
    health: (route, slot, call) => read(call, (limits) => slotHealth(world, { route, index: slot }, limits)),
    sessions: (route, slot, call) =>
      read(call, (limits) => sessionsAt(world, route, find(world, route, slot).slot, limits)),
    serving: (route, call) => read(call, (limits) => servingIn(world, route, limits)),
    stats: (route, call) => read(call, (limits) => routeStats(world, route, limits)),
    timings: (route, cursor, call) => read(call, (limits) => routeTimings(world, { route, cursor }, limits)),
    recent: (call) => read(call, (limits) => recentRequests(world, limits)),
    remove: (call) => change(call, 30_000, (limits) => remove(world, limits)),
  };
}

async function setSlot(
  world: World,
  { route, index, wanted }: { route: string; index: number; wanted: Slot },
  call: Call,
): Promise<void> {
  checkSlot(wanted);
  find(world, route, index);
  world.config = withSlot(world.config, { route, index, wanted });
  await writeConfig(world.directory, render(world.config, world.subnets));
  await settle(world, [find(world, route, index).route], call);
}

function withSlot(
  config: BalancerConfig,
  { route, index, wanted }: { route: string; index: number; wanted: Slot },
): BalancerConfig {
  const slot = wanted.address ? structuredClone(wanted) : emptySlot;
  const routes = config.routes.map((each) =>
    each.id === route ? { ...each, slots: each.slots.with(index, slot) } : each,
  );
  return { routes };
}

async function remove(world: World, call: Call): Promise<void> {
  await world.container.remove(call);
  await rm(world.directory, { recursive: true, force: true });
  world.config = { routes: [] };
}
