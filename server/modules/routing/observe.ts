/** Questions to the balancer about instances, wherever their slots are. */
import type { Balancer, Counters, SlotHealth } from "#drivers/balancer/contract.ts";
import type { RoutingStore, SlotRow } from "./store.ts";

export function createObserve(store: RoutingStore, balancer: Balancer) {
  /** Asks for each instance that has a slot. */
  async function each<T>(instances: readonly string[], ask: (slot: SlotRow) => Promise<T>): Promise<[string, T][]> {
    const slots = await store.slotsOfInstances(instances);
    return Promise.all(slots.map(async (slot) => [slot.instance, await ask(slot)] as [string, T]));
  }

  return {
    async health(instances: readonly string[]): Promise<Record<string, SlotHealth>> {
      const known = new Map(await each(instances, ({ pool, position }) => balancer.health(pool, position)));
      return Object.fromEntries(instances.map((instance) => [instance, known.get(instance) ?? { health: "unknown" }]));
    },
    async sessions(instances: readonly string[]): Promise<number> {
      const counts = await each(instances, ({ pool, position }) => balancer.sessions(pool, position));
      return counts.reduce((sum, [, count]) => sum + count, 0);
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
