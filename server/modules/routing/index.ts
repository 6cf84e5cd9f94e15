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
import type { Emit } from "#kernel/outbox.ts";
import { changeMode, type Closed, type ModeChange, openExpired, readClosed } from "./modes.ts";
import { type Comparison, createTraffic } from "./traffic.ts";
import { createManyBalancer } from "./ingresses/many.ts";
import { createIngresses, type IngressDeps, type IngressView } from "./ingresses/ingresses.ts";
import { createObserve, type Timings } from "./observe.ts";
import { queueReconcile, reconcileTask, runReconcile } from "./reconcile.ts";
import { routingRoutes } from "./routes.ts";
import {
  ensureRoute,
  placeInstances,
  placeProbe,
  type PlaceRequest,
  probeId,
  releaseSlots,
  removeRoutes,
  restProbe,
  shiftTraffic,
  type Weights,
} from "./slots.ts";
import { type Place, type RoutesOf, type RoutingStore, routingStore } from "./store.ts";
import { createSync, type Sync, type SyncDeps } from "./sync.ts";

export interface RoutingDeps extends SyncDeps, IngressDeps {
  clock: Clock;
  log: Log;
  emit: Emit;
  jobs: Jobs;
  /** That of this machine. */
  balancer: Balancer;
  /** Port on which the balancer serves people. */
  httpPort: number;
  /** Milliseconds between two looks at the balancer; default 10 s. */
  reconcileMs?: number;
  /** Called whenever somebody looks at live figures; the browser is then told when to look again. */
  looked?: () => void;
}

export type { IngressView } from "./ingresses/ingresses.ts";
export type { Closed } from "./modes.ts";
export type { Timings } from "./observe.ts";

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
  weight: number;
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
  /**
   * All traffic of the route goes to these instances, in proportion to their weights (1 to 256); they must be placed, and
   * be checked at one path. All others finish what they have.
   */
  shift(place: Place, weights: Weights): Promise<void>;
  /** Requests and tunnels under way at these instances. */
  sessions(instances: readonly string[]): Promise<number>;
  /** `host:port` of all to which the balancer itself sends new requests of the route. */
  serving(place: Place): Promise<string[]>;
  /** Takes instances out of their slots for good; only after this may they end. */
  release(instances: readonly string[]): Promise<void>;
  stats(instances: readonly string[]): Promise<InstanceStats>;
  /** How long instances took since an earlier reading; without its cursor, reading begins now. */
  timings(instances: readonly string[], cursor?: string): Promise<Timings>;
  /** How groups of instances did in the last minutes, side by side; undefined while the balancer does not answer. */
  compare<K extends string>(groups: Record<K, readonly string[]>): Promise<Comparison<K> | undefined>;
  /** Closes a route for a while, or opens it again; it also opens by itself. Refused where there is no such route. */
  setMode(place: Place, change: ModeChange): Promise<Refusal | undefined>;
  /** Routes that are not open. */
  closed(): Promise<Closed[]>;
  /** Every instance that has a slot, with what the tables say of it. */
  placed(): Promise<Map<string, Placed>>;
  /** Whether a backing service takes connections, seen from its network. Call until `up`, then `endProbe`. */
  probe(probe: { environment: string; name: string; address: Address }): Promise<SlotHealth>;
  endProbe(probe: { environment: string; name: string }): Promise<void>;
  addressOf(place: Place): Promise<RouteAddress | undefined>;
  /** Host names that the balancer answers for, and what keeps it from answering; it is not there while there are none. */
  standing(): Promise<{ addresses: number; fault: string | undefined; ingresses: IngressView[] }>;
  /** Takes all routes, pools and slots of an environment or a service away for good; none there is no error. */
  removeRoutes(of: RoutesOf): Promise<void>;
  /** Brings the balancer to what the tables say. */
  reconcile(): Promise<void>;
  handlers: ReturnType<typeof routingRoutes>;
  tasks: Record<string, Task>;
  /** From now on reconciles every few seconds. */
  start(): Promise<void>;
}

export function createRouting(given: RoutingDeps): Routing {
  const { db } = given;
  const ingresses = createIngresses(given, () => queueReconcile(given, 0));
  const balancer = createManyBalancer(given.balancer, ingresses);
  const deps = { ...given, balancer };
  const sync = createSync(deps);
  const store = routingStore(db);
  const observe = createObserve(store, balancer);
  const traffic = createTraffic(deps);
  const epoch = newId();
  const addressOf = addressesIn(store, deps.httpPort);
  const everything = async () => {
    await openExpired(deps);
    await sync.everything();
  };
  return {
    ...changesOf(deps, sync, { observe, addressOf }),
    health: observe.health,
    sessions: observe.sessions,
    timings: observe.timings,
    compare: traffic.compare,
    closed: () => readClosed(store),
    async setMode(place, change) {
      const refused = await changeMode(deps, place, change);
      if (!refused) await sync.changes();
      return refused;
    },
    async serving(place) {
      const route = await store.route(place);
      return route ? balancer.serving(route.pool) : [];
    },
    stats: async (instances) => ({ epoch, counters: await observe.counters(instances) }),
    async placed() {
      const slots = await store.slots();
      return new Map(
        slots.map(({ instance, host, port, state, weight }) => [instance, { address: { host, port }, state, weight }]),
      );
    },
    addressOf,
    async standing() {
      const addresses = (await store.hosts()).length;
      const fault = addresses === 0 ? undefined : await traffic.fault();
      return { addresses, fault, ingresses: await ingresses.list() };
    },
    reconcile: everything,
    handlers: routingRoutes(store, { addressOf, traffic, ingresses }),
    tasks: { [reconcileTask]: () => runReconcile(deps, { everything }) },
    async start() {
      await ingresses.start();
      await queueReconcile(deps, 0);
    },
  };
}

function addressesIn(store: RoutingStore, httpPort: number): Routing["addressOf"] {
  return async (place) => {
    const route = await store.route(place);
    if (!route) return undefined;
    const hosts = (await store.hosts()).filter((host) => isAt(host, place)).map(({ host }) => host);
    return {
      url: `http://${hosts[0]}:${httpPort}`,
      internalUrl: `http://${balancerAlias}:${route.internal_port}`,
    };
  };
}

interface Reading {
  observe: ReturnType<typeof createObserve>;
  addressOf: Routing["addressOf"];
}

/** Everything that changes tables and balancer. */
function changesOf({ db }: RoutingDeps, sync: Sync, { observe, addressOf }: Reading) {
  const then = async (change: () => Promise<void>) => {
    await change();
    await sync.changes();
  };
  return {
    async ensureRoute(place, hosts) {
      const port = await ensureRoute(db, place, hosts);
      if (isRefusal(port)) return port;
      await sync.changes();
      const address = await addressOf(place);
      if (!address) throw new Error(`the route of ${place.service} in ${place.environment} vanished`);
      return address;
    },
    place: (request) => then(() => placeInstances(db, request)),
    shift: (place, weights) => then(() => shiftTraffic(db, place, weights)),
    release: (instances) => then(() => releaseSlots(db, instances)),
    removeRoutes: (of) => then(() => removeRoutes(db, of)),
    async probe(probe) {
      await then(() => placeProbe(db, probe));
      return (await observe.health([probeId(probe)]))[probeId(probe)] ?? { health: "unknown" };
    },
    endProbe: (probe) => then(() => restProbe(db, probe)),
  } satisfies Partial<Routing>;
}

function isAt(row: Place, { service, environment }: Place): boolean {
  return row.service === service && row.environment === environment;
}
