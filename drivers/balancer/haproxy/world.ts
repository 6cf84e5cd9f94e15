/** What the balancer's methods share: the container, the socket, what was last applied, and the rule of one change at a time. */
import { join } from "node:path";
import { type Limits, limit } from "#drivers/engine/engine.ts";
import { type BalancerConfig, BalancerError, type CallOptions, type Route, type Slot } from "../contract.ts";
import { type Container, type ContainerOptions, createContainer } from "./container.ts";
import { createMaster, type Master } from "./master.ts";
import { masterSocket } from "./render.ts";
import { createTally, type Tally } from "./tally.ts";

export interface World {
  container: Container;
  master: Master;
  directory: string;
  tally: Tally;
  /** What was last applied, with what `setSlots` changed since. */
  config: BalancerConfig;
  subnets: ReadonlyMap<string, string>;
  /** Settles when the last change has ended, well or not. */
  changing: Promise<unknown>;
}

/** One call in progress. */
export interface Call extends Limits {
  /** Fires at the deadline or with the caller's signal. */
  signal: AbortSignal;
}

export function createWorld(options: ContainerOptions): World {
  return {
    container: createContainer(options),
    master: createMaster(join(options.directory, masterSocket)),
    directory: options.directory,
    tally: createTally(),
    config: { routes: [] },
    subnets: new Map(),
    changing: Promise.resolve(),
  };
}

/** Does something within its limits; a failure because of them is told as such. */
export async function within<T>(
  { deadlineMs, signal: callers }: CallOptions & { deadlineMs: number },
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const { signal, reason } = limit({ deadlineMs, signal: callers });
  const began = performance.now();
  try {
    signal.throwIfAborted();
    return await work({
      signal,
      get deadlineMs() {
        return deadlineMs - (performance.now() - began);
      },
    });
  } catch (error) {
    const ended = reason();
    if (!ended) throw error;
    throw new BalancerError(ended, `the call ended before its work: ${(error as Error).message}`, { cause: error });
  }
}

/** The same for a change: after all changes that were asked for before. */
export async function alone<T>(
  world: World,
  options: CallOptions & { deadlineMs: number },
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const before = world.changing;
  const mine = within(options, async (call) => {
    await Promise.race([before, aborted(call.signal)]);
    call.signal.throwIfAborted();
    return work(call);
  });
  world.changing = Promise.allSettled([before, mine]);
  return mine;
}

/** The route and its slot as last set; `not-found` where there is none. */
export function find(world: World, route: string, slot: number): { route: Route; slot: Slot } {
  const found = world.config.routes.find(({ id }) => id === route);
  const at = found?.slots[slot];
  if (!found || !at) throw new BalancerError("not-found", `there is no slot ${slot} of the route ${route}`);
  return { route: found, slot: at };
}

/** As `find`; undefined where there is none. */
export function slotAt({ config }: World, route: string, slot: number): Slot | undefined {
  return config.routes.find(({ id }) => id === route)?.slots[slot];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
