import { isRefusal, type Refusal } from "#api/errors.ts";
import {
  type Address,
  type Balancer,
  balancerAlias,
  type Counters,
  type SlotHealth,
  type SlotState,
} from "#drivers/balancer/contract.ts";
import { type Clock, newId } from "#kernel/clock.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import { createObserve } from "./observe.ts";
import { queueReconcile, reconcileTask, runReconcile } from "./reconcile.ts";
import { routingRoutes } from "./routes.ts";
import {
  ensureRoute,
  placeInstances,
  placeProbe,
  type PlaceRequest,
  probeId,
  releaseSlots,
  restProbe,
  shiftTraffic,
} from "./slots.ts";
import { type Place, routingStore } from "./store.ts";
import { createSync, type SyncDeps } from "./sync.ts";

export interface RoutingDeps extends SyncDeps {
  clock: Clock;
  log: Log;
  jobs: Jobs;
  balancer: Balancer;
  /** Port on which the balancer serves people. */
  httpPort: number;
  /** Milliseconds between two looks at the balancer; default 10 s. */
  reconcileMs?: number;
}

export interface RouteAddress {
  /** For people, through the balancer. */
  url: string;
  /** For the other services of the environment. */
  internalUrl: string;
}

export interface InstanceStats {
  /** Another one than before means that the counts begin anew. */
  epoch: string;
  /** By instance, those that have a slot; since some time before the epoch's first call. */
  counters: Record<string, Counters>;
}

export interface Placed {
  address: Address;
  state: SlotState;
}

/** Whatever changes traffic writes to the tables first and then to the balancer; it may be repeated, and throws `BalancerError`. */
export interface Routing {
  /**
   * Makes sure that the service has its addresses in the environment, before anything serves there too. `hosts` replace
   * the names it had; without them a new route is called `<service>.<environment>.localhost`.
   */
  ensureRoute(place: Place, hosts?: readonly string[]): Promise<RouteAddress | Refusal>;
  /** Puts instances into free slots, checked but without traffic. One that has a slot gets the new address and keeps its traffic. */
  place(request: PlaceRequest): Promise<void>;
  /** What the balancer's checks say; `unknown` for one without a slot. */
  health(instances: readonly string[]): Promise<Record<string, SlotHealth>>;
  /** All traffic of the route goes to these instances, which must be placed; all others finish what they have. */
  shift(place: Place, to: readonly string[]): Promise<void>;
  /** Requests and tunnels under way at these instances. */
  sessions(instances: readonly string[]): Promise<number>;
  /** Takes instances out of their slots for good; only after this may they end. */
  release(instances: readonly string[]): Promise<void>;
  stats(instances: readonly string[]): Promise<InstanceStats>;
  /** Every instance that has a slot, with what the tables say of it. */
  placed(): Promise<Map<string, Placed>>;
  /** Whether a backing service takes connections, seen from its network. Call until `up`, then `endProbe`. */
  probe(probe: { environment: string; name: string; address: Address }): Promise<SlotHealth>;
  endProbe(probe: { environment: string; name: string }): Promise<void>;
  addressOf(place: Place): Promise<RouteAddress | undefined>;
  /** Brings the balancer to what the tables say. */
  reconcile(): Promise<void>;
  handlers: ReturnType<typeof routingRoutes>;
  tasks: Record<string, Task>;
  /** From now on reconciles every few seconds. */
  start(): Promise<void>;
}

export function createRouting(deps: RoutingDeps): Routing {
  const { db, balancer, httpPort } = deps;
  const sync = createSync(deps);
  const store = routingStore(db);
  const observe = createObserve(store, balancer);
  const epoch = newId();

  async function addressOf(place: Place): Promise<RouteAddress | undefined> {
    const route = await store.route(place);
    if (!route) return undefined;
    const hosts = (await store.hosts()).filter((host) => isAt(host, place)).map(({ host }) => host);
    return {
      url: `http://${hosts[0]}:${httpPort}`,
      internalUrl: `http://${balancerAlias}:${route.internal_port}`,
    };
  }

  return {
    async ensureRoute(place, hosts) {
      const port = await ensureRoute(db, place, hosts);
      if (isRefusal(port)) return port;
      await sync.changes();
      const address = await addressOf(place);
      if (!address) throw new Error(`the route of ${place.service} in ${place.environment} vanished`);
      return address;
    },
    async place(request) {
      await placeInstances(db, request);
      await sync.changes();
    },
    health: observe.health,
    sessions: observe.sessions,
    async shift(place, to) {
      await shiftTraffic(db, place, to);
      await sync.changes();
    },
    async release(instances) {
      await releaseSlots(db, instances);
      await sync.changes();
    },
    stats: async (instances) => ({ epoch, counters: await observe.counters(instances) }),
    async placed() {
      const slots = await store.slots();
      return new Map(slots.map(({ instance, host, port, state }) => [instance, { address: { host, port }, state }]));
    },
    async probe(probe) {
      await placeProbe(db, probe);
      await sync.changes();
      return (await observe.health([probeId(probe)]))[probeId(probe)] ?? { health: "unknown" };
    },
    async endProbe(probe) {
      await restProbe(db, probe);
      await sync.changes();
    },
    addressOf,
    reconcile: sync.everything,
    handlers: routingRoutes(store, addressOf),
    tasks: { [reconcileTask]: () => runReconcile(deps, sync) },
    start: () => queueReconcile(deps, 0),
  };
}

function isAt(row: Place, { service, environment }: Place): boolean {
  return row.service === service && row.environment === environment;
}
