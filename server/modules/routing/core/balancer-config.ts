/** The tables as the balancer's configuration, and the shortest way from one configuration to the next. */
import {
  type BalancerConfig,
  emptySlot,
  type Route,
  type RouteMode,
  type Slot,
  type SlotChange,
  type SlotState,
} from "#drivers/balancer/contract.ts";
import { isPreview } from "#pipeline/preview-rules.ts";

export interface Pool {
  id: string;
  environment: string;
  healthPath: string | null;
  slots: number;
  /** Absent for a pool that gets no traffic. */
  front?: { hosts: string[]; internalPort: number; mode: RouteMode };
}

export interface Occupied {
  pool: string;
  position: number;
  host: string;
  port: number;
  state: SlotState;
  weight: number;
}

export interface EnvironmentNetwork {
  name: string;
  spansMachines?: boolean;
}

export interface Surroundings {
  /** The network of each environment; one without has no routes. */
  networks: ReadonlyMap<string, EnvironmentNetwork>;
  /** Whose routes the environments of pull requests use too. */
  borrowed: string | undefined;
}

export function balancerConfig(
  pools: readonly Pool[],
  occupied: readonly Occupied[],
  { networks, borrowed }: Surroundings,
): BalancerConfig {
  const byPool = Map.groupBy(occupied, ({ pool }) => pool);
  const previews = new Set(pools.map(({ environment }) => environment).filter(isPreview));
  const guests = [...previews].toSorted().flatMap((environment) => networks.get(environment)?.name ?? []);
  const routes = pools.flatMap((pool) => {
    const network = networks.get(pool.environment);
    if (network === undefined) return [];
    const route = routeOf(pool, byPool.get(pool.id) ?? [], network);
    const isBorrowed = pool.front !== undefined && pool.environment === borrowed && guests.length > 0;
    return isBorrowed ? { ...route, guests } : route;
  });
  return { routes };
}

function routeOf(pool: Pool, occupied: readonly Occupied[], { name, spansMachines }: EnvironmentNetwork): Route {
  const slots: Slot[] = Array.from({ length: pool.slots }, () => emptySlot);
  for (const { position, host, port, state, weight } of occupied)
    slots[position] = { address: { host, port }, state, weight };
  return {
    id: pool.id,
    hosts: pool.front?.hosts ?? [],
    network: name,
    ...(spansMachines ? { spansMachines } : {}),
    ...(pool.front ? { internalPort: pool.front.internalPort, mode: pool.front.mode } : {}),
    ...(pool.healthPath === null ? {} : { healthPath: pool.healthPath }),
    slots,
  };
}

/** Slots that differ, or undefined when more than slots does. */
export function slotChanges(before: BalancerConfig, after: BalancerConfig): SlotChange[] | undefined {
  if (shapeOf(before) !== shapeOf(after)) return undefined;
  return after.routes.flatMap((route, index) =>
    route.slots.flatMap((slot, position) =>
      same(slot, before.routes[index]?.slots[position]) ? [] : [{ route: route.id, position, slot }],
    ),
  );
}

function shapeOf({ routes }: BalancerConfig): string {
  return JSON.stringify(routes.map(({ slots, ...rest }) => ({ ...rest, slots: slots.length })));
}

function same(left: Slot, right: Slot | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
