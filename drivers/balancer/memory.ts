/** A balancer without traffic, for tests of what stands on the seam. Who answers, and how busy they are, is told by the test. */
import {
  type Address,
  type Balancer,
  type BalancerConfig,
  BalancerError,
  type CallOptions,
  type Counters,
  type RecentRequest,
  type Route,
  type Slot,
  type SlotHealth,
} from "./contract.ts";
import { checkConfig, checkSlot } from "./rules.ts";

export interface MemoryBalancerOptions {
  /** Whether an instance passes its health check; absent: every one does. */
  healthy?: (address: Address, path: string | undefined) => boolean;
  /** Sessions under way at an address; absent: none ever. */
  sessions?: (address: Address) => number;
}

export interface MemoryBalancer extends Balancer {
  /** Passes and counts a request: the address that gets it, or the status when none does. `turn` picks among several. */
  request(host: string, turn?: number): Address | number;
  /** Counts what requests came to. */
  count(route: string, slot: number, counters: Partial<Counters>): void;
  /** Notes how long requests took. */
  time(route: string, slot: number, milliseconds: readonly number[]): void;
  /** Notes requests that `recent` then tells; `since` is the time of the first one. */
  note(requests: readonly RecentRequest[]): void;
  /** While set, every call fails with `balancer-unreachable`. */
  down: boolean;
}

interface Kept {
  route: Route;
  slots: Slot[];
  counters: Counters[];
  /** In the order in which they ended. */
  times: { slot: number; milliseconds: number }[];
}

export function createMemoryBalancer(options: MemoryBalancerOptions = {}): MemoryBalancer {
  let kept = new Map<string, Kept>();
  const noted: RecentRequest[] = [];
  const healthy = options.healthy ?? (() => true);
  const openIn = (found: Kept) => [...found.slots.keys()].filter((index) => isOpen(found, index, healthy));
  const reach = (call?: CallOptions) => reachable(balancer, call);
  const find = (route: string, slot = 0, call?: CallOptions): Kept & { slot: Slot } => {
    reach(call);
    const found = kept.get(route);
    const slotFound = found?.slots[slot];
    if (!found || !slotFound) throw new BalancerError("not-found", `there is no slot ${slot} of ${route}`);
    return { ...found, slot: slotFound };
  };
  const balancer: MemoryBalancer = {
    down: false,
    async apply(config) {
      checkConfig(config);
      reach();
      kept = next(config, kept);
    },
    async setSlots(changes, call) {
      for (const { slot } of changes) checkSlot(slot);
      const found = changes.map(({ route, position }) => find(route, position, call).slots);
      changes.forEach(({ position, slot }, at) => (found[at]![position] = structuredClone(slot)));
    },
    async health(places, call) {
      reach(call);
      return places.map(({ route, position }) => healthOf(kept.get(route), position, healthy));
    },
    async sessions(route, slot, call) {
      const { address } = find(route, slot, call).slot;
      return address ? (options.sessions?.(address) ?? 0) : 0;
    },
    async serving(route, call) {
      const found = find(route, 0, call);
      return openIn(found).flatMap((at) => addressIn(found, at));
    },
    async stats(route, call) {
      const { counters } = find(route, 0, call);
      return { ...counters.reduce(add, none()), slots: counters.map((each) => ({ ...each })) };
    },
    async timings(route, cursor, call) {
      const { slots, times } = find(route, 0, call);
      const since = cursor === undefined ? [] : times.slice(Number(cursor));
      const of = (slot: number) => since.flatMap((each) => (each.slot === slot ? each.milliseconds : []));
      return { cursor: String(times.length), slots: slots.map((_, slot) => of(slot)) };
    },
    async recent() {
      reach();
      return { since: noted[0]?.at ?? 0, requests: [...noted] };
    },
    note: (requests) => void noted.push(...requests),
    async remove() {
      kept = new Map();
    },
    ...controlsOf({ find, openIn, all: () => [...kept.values()] }),
  };
  return balancer;
}

interface Inside {
  find(route: string, slot?: number): Kept & { slot: Slot };
  openIn(found: Kept): number[];
  all(): Kept[];
}

/** What tests do with it. */
function controlsOf({ find, openIn, all }: Inside): Pick<MemoryBalancer, "count" | "time" | "request"> {
  return {
    count(route, slot, more) {
      const { counters } = find(route, slot);
      counters[slot] = add(counters[slot] ?? none(), { ...none(), ...more });
    },
    time(route, slot, milliseconds) {
      for (const each of milliseconds) find(route, slot).times.push({ slot, milliseconds: each });
    },
    request(host, turn = 0) {
      const found = all().find(({ route }) => route.hosts.includes(host));
      if (!found) return 404;
      if ((found.route.mode ?? "open") !== "open") return 503;
      const slots = openIn(found);
      const index = slots[turn % slots.length];
      if (index === undefined) return 503;
      found.counters[index] = add(found.counters[index] ?? none(), { ...none(), requests: 1 });
      return found.slots[index]!.address!;
    },
  };
}

function reachable({ down }: MemoryBalancer, call: CallOptions = {}): void {
  if (down) throw new BalancerError("balancer-unreachable", "the balancer does not answer");
  if (call.signal?.aborted) throw new BalancerError("aborted", "the call was aborted");
}

function healthOf(
  found: Kept | undefined,
  position: number,
  healthy: NonNullable<MemoryBalancerOptions["healthy"]>,
): SlotHealth {
  const slot = found?.slots[position];
  if (!slot?.address || slot.state === "maint") return { health: "unknown" };
  return healthy(slot.address, found?.route.healthPath)
    ? { health: "up", detail: "200" }
    : { health: "down", detail: "503" };
}

function isOpen(
  { route, slots }: Kept,
  index: number,
  healthy: NonNullable<MemoryBalancerOptions["healthy"]>,
): boolean {
  const { address, state, weight } = slots[index]!;
  return address !== undefined && state === "ready" && weight > 0 && healthy(address, route.healthPath);
}

function addressIn({ slots }: Kept, index: number): string[] {
  const address = slots[index]?.address;
  return address ? [`${address.host}:${address.port}`] : [];
}

function next(config: BalancerConfig, before: Map<string, Kept>): Map<string, Kept> {
  return new Map(
    config.routes.map((route) => {
      const counters = route.slots.map((_, index) => before.get(route.id)?.counters[index] ?? none());
      const times = before.get(route.id)?.times ?? [];
      return [route.id, { route, slots: structuredClone([...route.slots]), counters, times }];
    }),
  );
}

function none(): Counters {
  return { requests: 0, serverErrors: 0, connectionErrors: 0 };
}

function add(left: Counters, right: Counters): Counters {
  return {
    requests: left.requests + right.requests,
    serverErrors: left.serverErrors + right.serverErrors,
    connectionErrors: left.connectionErrors + right.connectionErrors,
  };
}
