/** Questions to the balancer about instances, wherever their slots are. */
import type { Balancer, Counters, SlotHealth } from "#drivers/balancer/contract.ts";
import type { RoutingStore, SlotRow } from "./store.ts";

export interface Timings {
  /** For the next reading. */
  cursor: string;
  /** Milliseconds until each instance began to answer, of the requests since the cursor. */
  times: Record<string, readonly number[]>;
}

export function createObserve(store: RoutingStore, balancer: Balancer) {
  /** Asks for each instance that has a slot. */
  async function each<T>(instances: readonly string[], ask: (slot: SlotRow) => Promise<T>): Promise<[string, T][]> {
    const slots = await store.slotsOfInstances(instances);
    return Promise.all(slots.map(async (slot) => [slot.instance, await ask(slot)] as [string, T]));
  }

  return {
    async health(instances: readonly string[]): Promise<Record<string, SlotHealth>> {
      const slots = await store.slotsOfInstances(instances);
      const seen = await balancer.health(slots.map(({ pool, position }) => ({ route: pool, position })));
      const known = new Map(slots.map(({ instance }, at) => [instance, seen[at]]));
      return Object.fromEntries(instances.map((instance) => [instance, known.get(instance) ?? { health: "unknown" }]));
    },
    async sessions(instances: readonly string[]): Promise<number> {
      const counts = await each(instances, ({ pool, position }) => balancer.sessions(pool, position));
      return counts.reduce((sum, [, count]) => sum + count, 0);
    },
    /** `cursor`: where the reading before ended, of each pool. */
    async timings(instances: readonly string[], cursor: string | undefined): Promise<Timings> {
      const slots = await store.slotsOfInstances(instances);
      const before = cursor === undefined ? {} : (JSON.parse(cursor) as Record<string, string>);
      const pools = [...new Set(slots.map(({ pool }) => pool))].toSorted();
      const read = new Map(
        await Promise.all(pools.map(async (pool) => [pool, await balancer.timings(pool, before[pool])] as const)),
      );
      const times = slots.map(({ instance, pool, position }) => [instance, read.get(pool)?.slots[position] ?? []]);
      const next = pools.map((pool) => [pool, read.get(pool)?.cursor ?? ""]);
      return { cursor: JSON.stringify(Object.fromEntries(next)), times: Object.fromEntries(times) };
    },

    async counters(instances: readonly string[]): Promise<Record<string, Counters>> {
      const pools = new Map<string, Promise<readonly Counters[]>>();
      const found = await each(instances, async ({ pool, position }) => {
        const asked = pools.get(pool) ?? balancer.stats(pool).then(({ slots }) => slots);
        pools.set(pool, asked);
        return (await asked)[position] ?? { requests: 0, serverErrors: 0, connectionErrors: 0 };
      });
      return Object.fromEntries(found);
    },
  };
}
