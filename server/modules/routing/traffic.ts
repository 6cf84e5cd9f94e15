/** Live figures, read from the balancer when somebody looks; nothing of them is kept. */
import { refuse } from "#api/errors.ts";
import { type Balancer, BalancerError, type Recent } from "#drivers/balancer/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import { historyOf, type Located, type Point, trafficIn } from "./core/traffic.ts";
import { routingStore } from "./store.ts";

interface Deps {
  db: Database;
  clock: Clock;
  balancer: Balancer;
  looked?: () => void;
}

export type Comparison<K extends string> = Record<K, { points: Point[]; share: number }>;

export type Traffic = ReturnType<typeof createTraffic>;

const deadlineMs = 3_000;
/** Several windows look at the same time; one reading is enough for all. */
const freshMs = 1_000;

export function createTraffic({ db, clock, balancer, looked = () => {} }: Deps) {
  let last: { at: number; recent: Promise<Recent> } | undefined;
  const seconds = () => Math.floor(clock.now().getTime() / 1000);

  async function recent(): Promise<Recent | undefined> {
    looked();
    const at = clock.now().getTime();
    if (!last || at - last.at >= freshMs) last = { at, recent: balancer.recent({ deadlineMs }) };
    return last.recent.catch((error: unknown) => {
      if (error instanceof BalancerError) return undefined;
      throw error;
    });
  }

  return {
    /** Why the balancer does not answer, in its words. */
    fault: () =>
      balancer.recent({ deadlineMs }).then(
        () => undefined,
        (error: Error) => error.message,
      ),

    async read(environment: string) {
      const [found, { routes, instances }] = await Promise.all([recent(), locate(db)]);
      if (!found) return refuse("host.docker-missing", "the load balancer does not answer");
      return trafficIn(found, { environment, routes, instances, now: seconds() });
    },

    async compare<K extends string>(groups: Record<K, readonly string[]>): Promise<Comparison<K> | undefined> {
      const [found, slots] = await Promise.all([recent(), routingStore(db).slots()]);
      if (!found) return undefined;
      const names = Object.entries<readonly string[]>(groups);
      const all = slots.filter(
        ({ instance, state }) => state === "ready" && names.some(([, of]) => of.includes(instance)),
      );
      const total = all.reduce((sum, { weight }) => sum + weight, 0);
      const sideOf = (of: readonly string[]) => {
        const hosts = new Set(slots.filter(({ instance }) => of.includes(instance)).map(({ host }) => host));
        const requests = found.requests.filter(({ to }) => to !== undefined && hosts.has(to));
        const weight = all.filter(({ instance }) => of.includes(instance)).reduce((sum, each) => sum + each.weight, 0);
        return {
          points: historyOf({ since: found.since, requests }, seconds()),
          share: total === 0 ? 0 : weight / total,
        };
      };
      return Object.fromEntries(names.map(([name, of]) => [name, sideOf(of)])) as Comparison<K>;
    },
  };
}

async function locate(db: Database) {
  const store = routingStore(db);
  const [pools, slots] = await Promise.all([store.pools(), store.slots()]);
  const routes = new Map(
    pools.flatMap(({ id, service, environment }) =>
      service === null ? [] : [[id, { service, environment }] as const],
    ),
  );
  const instances = slots.flatMap(({ pool, instance, host }): Located[] => {
    const place = routes.get(pool);
    return place ? [{ instance, host, ...place }] : [];
  });
  return { routes, instances };
}
