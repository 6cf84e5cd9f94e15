/** The balancer of this machine and those of others, as one: a change is made when it is in force on all, and a slot is empty when it is on all. */
import {
  type Balancer,
  type BalancerConfig,
  BalancerError,
  type CallOptions,
  type Counters,
  type Recent,
  type Route,
  type RouteStats,
  type RouteTimings,
  type SlotHealth,
} from "#drivers/balancer/contract.ts";

export interface Other {
  /** Another one than before means that its counts begin anew. */
  id: string;
  balancer: Balancer;
}

/** The balancers of other machines. */
export interface Others {
  /** Those that people may be reaching: all of them are waited for. */
  serving(): Promise<readonly Other[]>;
  /** Brings those that serve to the configuration, and those that may do so from then on. */
  apply(config: BalancerConfig, options?: CallOptions): Promise<void>;
}

/**
 * Only routes whose network spans machines go to the others, and only their host names: within a network, instances reach each
 * other by the balancer of this machine.
 */
export function createManyBalancer(own: Balancer, others: Others): Balancer {
  const counts = createCounts();
  /** Of the routes that the others have. */
  let shared: ReadonlySet<string> = new Set();
  const those = async (routes: readonly { route: string }[]) =>
    routes.some(({ route }) => shared.has(route)) ? others.serving() : [];
  return {
    ...readings(own, { those, anywhere: async () => (shared.size > 0 ? others.serving() : []), counts }),
    async apply(config, options) {
      await own.apply(config, options);
      const routes = config.routes.filter(({ spansMachines }) => spansMachines).map(withoutInternal);
      shared = new Set(routes.map(({ id }) => id));
      counts.keepOnly(new Set(config.routes.map(({ id }) => id)));
      await others.apply({ routes }, options);
    },
    async setSlots(changes, options) {
      const theirs = changes.filter(({ route }) => shared.has(route));
      const asked = await those(theirs);
      await Promise.all([
        own.setSlots(changes, options),
        ...asked.map(({ balancer }) => balancer.setSlots(theirs, options)),
      ]);
    },
    async health(slots, options) {
      const theirs = slots.filter(({ route }) => shared.has(route));
      const ask = async ({ balancer }: Other) =>
        (await orNothing(balancer.health(theirs, soon(options)))) ?? theirs.map(notKnown);
      const asked = await those(theirs);
      const [mine, ...seen] = await Promise.all([own.health(slots, options), ...asked.map(ask)]);
      return slots.map((place, at) => worst([mine[at], ...seen.map((each) => each[theirs.indexOf(place)])]));
    },
    remove: (options) => own.remove(options),
  };
}

interface Reach {
  /** The others, where they have one of these routes. */
  those(routes: readonly { route: string }[]): Promise<readonly Other[]>;
  anywhere(): Promise<readonly Other[]>;
  counts: ReturnType<typeof createCounts>;
}

type Readings = Pick<Balancer, "sessions" | "serving" | "stats" | "timings" | "recent">;

function readings(own: Balancer, { those, anywhere, counts }: Reach): Readings {
  const all = async (route: string) => [own, ...(await those([{ route }])).map(({ balancer }) => balancer)];
  return {
    sessions: async (route, slot, options) =>
      sum(await Promise.all((await all(route)).map((each) => each.sessions(route, slot, options)))),
    async serving(route, options) {
      const found = await Promise.all((await all(route)).map((each) => each.serving(route, options)));
      return [...new Set(found.flat())];
    },
    async stats(route, options) {
      const note = async ({ id, balancer }: Other) => {
        const found = await orNothing(balancer.stats(route, soon(options)));
        if (found) counts.note(route, id, found);
      };
      counts.note(route, "", await own.stats(route, options));
      await Promise.all((await those([{ route }])).map(note));
      return counts.read(route);
    },
    async timings(route, cursor, options) {
      const before = cursor === undefined ? {} : (JSON.parse(cursor) as Record<string, string>);
      const read: [string, RouteTimings][] = [["", await own.timings(route, before[""], options)]];
      const note = async ({ id, balancer }: Other) => {
        const found = await orNothing(balancer.timings(route, before[id], soon(options)));
        if (found) read.push([id, found]);
      };
      await Promise.all((await those([{ route }])).map(note));
      return mergeTimings(read);
    },
    async recent(options) {
      const asked = await anywhere();
      const ask = ({ balancer }: Other) => orNothing(balancer.recent(soon(options)));
      const [mine, ...theirs] = await Promise.all([own.recent(options), ...asked.map(ask)]);
      return mergeRecent([mine, ...theirs.filter((each) => each !== undefined)]);
    },
  };
}

/** What only tells how things are does not wait long for a machine that does not answer, and does without it. */
const soon = (options: CallOptions = {}): CallOptions => ({
  ...options,
  deadlineMs: Math.min(soonMs, options.deadlineMs ?? soonMs),
});
const soonMs = 3_000;

function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    if (error instanceof BalancerError) return undefined;
    throw error;
  });
}

const notKnown = (): SlotHealth => ({ health: "unknown" });

function withoutInternal({ internalPort: _, guests: __, ...route }: Route): Route {
  return route;
}

const order = ["down", "unknown", "up"] as const;

/** Whoever asks wants to know whether all of them send requests there. */
function worst(seen: readonly (SlotHealth | undefined)[]): SlotHealth {
  const known = seen.filter((each) => each !== undefined);
  for (const health of order) {
    const found = known.find((each) => each.health === health);
    if (found) return found;
  }
  return { health: "unknown" };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
const none: Counters = { requests: 0, serverErrors: 0, connectionErrors: 0 };
const combine =
  (by: (a: number, b: number) => number) =>
  (a: Counters, b: Counters): Counters => ({
    requests: by(a.requests, b.requests),
    serverErrors: by(a.serverErrors, b.serverErrors),
    connectionErrors: by(a.connectionErrors, b.connectionErrors),
  });
const add = combine((a, b) => a + b);
const grown = combine((now, before) => Math.max(0, now - before));

/** Sums that never go down, whoever of them goes: what each has counted more than the last time is added. */
function createCounts() {
  const totals = new Map<string, RouteStats>();
  const last = new Map<string, RouteStats>();
  return {
    note(route: string, id: string, stats: RouteStats): void {
      const key = `${route} ${id}`;
      const total = totals.get(route) ?? { ...none, slots: [] };
      const before = last.get(key);
      last.set(key, stats);
      totals.set(route, {
        ...add(total, grown(stats, before ?? none)),
        slots: stats.slots.map((slot, at) => add(total.slots[at] ?? none, grown(slot, before?.slots[at] ?? none))),
      });
    },
    keepOnly(routes: ReadonlySet<string>): void {
      for (const route of totals.keys()) if (!routes.has(route)) totals.delete(route);
      for (const key of last.keys()) if (!routes.has(key.split(" ")[0] ?? "")) last.delete(key);
    },
    read: (route: string): RouteStats => totals.get(route) ?? { ...none, slots: [] },
  };
}

function mergeTimings(read: readonly (readonly [string, RouteTimings])[]): RouteTimings {
  const size = Math.max(...read.map(([, { slots }]) => slots.length));
  return {
    cursor: JSON.stringify(Object.fromEntries(read.map(([id, { cursor }]) => [id, cursor]))),
    slots: Array.from({ length: size }, (_, at) => read.flatMap(([, { slots }]) => slots[at] ?? [])),
  };
}

function mergeRecent(read: readonly Recent[]): Recent {
  const since = Math.max(...read.map((each) => each.since));
  const requests = read.flatMap((each) => each.requests).filter(({ at }) => at >= since);
  return { since, requests: requests.toSorted((a, b) => a.at - b.at) };
}
