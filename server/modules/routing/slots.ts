/** Changes of the tables, each in one transaction under the module's lock. */
import { refuse, type Refusal } from "#api/errors.ts";
import { type Address, BalancerError, type Route } from "#drivers/balancer/contract.ts";
import { checkConfig, internalPorts } from "#drivers/balancer/rules.ts";
import type { Database } from "#kernel/database.ts";
import { freePosition, poolSize } from "./core/pool-size.ts";
import { type Place, type RoutesOf, type PoolRow, type RoutingStore, routingStore } from "./store.ts";

/** By instance, 1 to 256. */
export type Weights = Readonly<Record<string, number>>;

export interface PlaceRequest extends Place {
  /** Path that answers 2xx or 3xx when an instance is ready. */
  healthPath: string;
  instances: readonly { instance: string; address: Address }[];
}

const poolId = ({ service, environment }: Place, number: number) =>
  number === 1 ? `${service}.${environment}` : `${service}.${environment}.${number}`;

const probeId = ({ environment, name }: { environment: string; name: string }) => `backing.${environment}.${name}`;

/** Makes the route, or gives it these host names; a host name that another route has is refused. */
export function ensureRoute(
  db: Database,
  place: Place,
  hosts: readonly string[] | undefined,
): Promise<number | Refusal> {
  return locked(db, async (store) => {
    const found = await store.route(place);
    const wanted = hosts ?? (found ? undefined : [`${place.service}.${place.environment}.localhost`]);
    if (wanted) {
      const taken = (await store.hostsAmong(wanted)).find(
        ({ service, environment }) => service !== place.service || environment !== place.environment,
      );
      if (taken)
        return refuse("conflict", `the host name ${taken.host} belongs to ${taken.service} in ${taken.environment}`);
    }
    const port = found?.internal_port ?? (await insertRoute(store, place));
    if (wanted) await store.setHosts(place, wanted);
    return port;
  });
}

async function insertRoute(store: RoutingStore, place: Place): Promise<number> {
  const port = await store.freePort(internalPorts);
  if (port === undefined) throw new Error("all internal ports of the balancer are taken");
  const id = poolId(place, 1);
  await store.insertRoute(place, { internal_port: port, pool: id });
  const { service, environment } = place;
  await store.insertPool({ id, service, environment, number: 1, health_path: null, slots: poolSize(1) });
  return port;
}

/** Gives each instance a slot, without traffic; one that has a slot keeps it and its state, at the address given. */
export function placeInstances(db: Database, request: PlaceRequest): Promise<void> {
  checkRequest(request);
  return locked(db, async (store) => {
    const present = await store.slotsOfInstances(request.instances.map(({ instance }) => instance));
    for (const { instance, address } of request.instances) {
      const slot = present.find((each) => each.instance === instance);
      if (slot) await store.setAddress(instance, address);
      else await insertSlot(store, request, { instance, address });
    }
  });
}

/** What the balancer would not take must not come into the tables: everything else would stand still with it. */
function checkRequest({ healthPath, instances }: PlaceRequest): void {
  const slots = instances.map(({ address }) => ({ address, state: "drain", weight: 100 }) as const);
  const route: Route = { id: "checked", hosts: [], network: "checked", healthPath, slots };
  checkConfig({ routes: [route] });
}

async function insertSlot(
  store: RoutingStore,
  request: PlaceRequest,
  { instance, address }: PlaceRequest["instances"][number],
): Promise<void> {
  const pool = await poolFor(store, request);
  const taken = (await store.slotsOf([pool.id])).map(({ position }) => position);
  const size = poolSize(Math.max(request.instances.length, Math.ceil((taken.length + 1) / 2)), pool.slots);
  const position = freePosition(taken, size);
  if (position === undefined) throw new BalancerError("invalid", `all ${size} slots of ${pool.id} are taken`);
  if (size !== pool.slots) await store.setPool(pool.id, { slots: size });
  await store.insertSlot({ pool: pool.id, position, instance, ...address, state: "drain", weight: 100 });
}

/** The pool that is checked at this path; an empty one is given the path, and where none is, one is made. */
async function poolFor(store: RoutingStore, { healthPath, ...place }: PlaceRequest): Promise<PoolRow> {
  const pools = await store.poolsOf(place);
  const found = pools.find(({ health_path }) => health_path === healthPath);
  if (found) return found;
  const used = new Set((await store.slotsOf(pools.map(({ id }) => id))).map(({ pool }) => pool));
  const empty = pools.find(({ id }) => !used.has(id));
  if (empty) {
    await store.setPool(empty.id, { health_path: healthPath });
    return { ...empty, health_path: healthPath };
  }
  const number = Math.max(0, ...pools.map((pool) => pool.number)) + 1;
  const { service, environment } = place;
  const made = { id: poolId(place, number), service, environment, number, health_path: healthPath, slots: poolSize(1) };
  await store.insertPool(made);
  return made;
}

/** These instances get all the traffic of the route in proportion to their weights, all its others get no new requests. */
export function shiftTraffic(db: Database, place: Place, weights: Weights): Promise<void> {
  const to = Object.keys(weights);
  return locked(db, async (store) => {
    const all = await store.slotsOf((await store.poolsOf(place)).map(({ id }) => id));
    const chosen = all.filter(({ instance }) => to.includes(instance));
    const [pool, ...others] = new Set(chosen.map((slot) => slot.pool));
    if (others.length > 0 || chosen.length !== to.length)
      throw new Error(`traffic of ${place.service} in ${place.environment} cannot go to ${to.join(", ")}`);
    if (pool !== undefined) await store.setPrimary(place, pool);
    for (const instance of to) await store.open(instance, weights[instance] ?? 0);
    const rest = all.filter(({ instance }) => !to.includes(instance)).map(({ instance }) => instance);
    await store.setState(rest, "drain");
  });
}

export function releaseSlots(db: Database, instances: readonly string[]): Promise<void> {
  return locked(db, async (store) => {
    await store.deleteSlots(instances);
    await store.deleteIdlePools();
  });
}

export function removeRoutes(db: Database, of: RoutesOf): Promise<void> {
  return locked(db, (store) => store.deleteRoutes(of));
}

/** A pool without traffic, by whose check the balancer tells whether a backing service takes connections. */
export function placeProbe(
  db: Database,
  probe: { environment: string; name: string; address: Address },
): Promise<void> {
  return locked(db, async (store) => {
    const id = probeId(probe);
    await store.insertPool({
      id,
      environment: probe.environment,
      service: null,
      number: 1,
      health_path: null,
      slots: 1,
    });
    const [present] = await store.slotsOfInstances([id]);
    if (present) await store.setAddress(id, probe.address);
    else await store.insertSlot({ pool: id, position: 0, instance: id, ...probe.address, state: "drain", weight: 100 });
    await store.setState([id], "drain");
  });
}

/** Ends the checking; the pool stays, so that the next probe reloads nothing. */
export function restProbe(db: Database, probe: { environment: string; name: string }): Promise<void> {
  return locked(db, async (store) => void (await store.setState([probeId(probe)], "maint")));
}

export { probeId };

function locked<T>(db: Database, work: (store: RoutingStore) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (tx) => {
    const store = routingStore(tx);
    await store.lock();
    return work(store);
  });
}
