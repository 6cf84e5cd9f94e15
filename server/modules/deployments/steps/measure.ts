/** How busy the instances of a deployment are, from two readings of the engine's and the balancer's counts. */
import type { Instance, Usage } from "#drivers/runtime/contract.ts";
import type { InstanceStats, Timings } from "#routing";
import { quantileOf, addTimes, countOf } from "../core/histogram.ts";
import type { Sample } from "../core/scale.ts";
import type { DeploymentRow } from "../store.ts";
import type { World } from "./step.ts";

/** What was read at one moment. */
export interface Reading {
  /** Milliseconds. */
  at: number;
  /** By instance; absent where the engine did not answer. */
  usage?: ReadonlyMap<string, Usage>;
  stats: InstanceStats;
  timings?: Timings;
}

const deadlineMs = 3_000;

/** Nothing but the number of instances at the first look, and where nobody answers. */
export async function measureLoad(world: World, row: DeploymentRow, names: readonly string[]): Promise<Sample> {
  const at = world.clock.now().getTime();
  const before = world.readings.get(row.id);
  const now = await read(world, row, { names, cursor: before?.timings?.cursor }).catch((error: unknown) => {
    world.log.warn({ err: error, service: row.service, environment: row.environment }, "the load could not be read");
    return undefined;
  });
  if (now) world.readings.set(row.id, now);
  else world.readings.delete(row.id);
  return { at, count: names.length, ...(before && now ? compare(row, { before, now, names }) : {}) };
}

async function read(
  { runtime, routing, clock }: World,
  { id, stack }: DeploymentRow,
  { names, cursor }: { names: readonly string[]; cursor: string | undefined },
): Promise<Reading> {
  const used = async () => usageByName(runtime, (await runtime.list({ deployment: id }, { deadlineMs })).filter(isOne));
  const isOne = ({ name }: Instance) => names.includes(name);
  const [usage, stats, timings] = await Promise.all([
    stack?.scale?.cpu === undefined ? undefined : used(),
    routing.stats(names),
    stack?.scale?.p95 === undefined ? undefined : routing.timings(names, cursor),
  ]);
  return { at: clock.now().getTime(), stats, ...(usage ? { usage } : {}), ...(timings ? { timings } : {}) };
}

async function usageByName(runtime: World["runtime"], instances: readonly Instance[]): Promise<Map<string, Usage>> {
  const nameOf = new Map(instances.map(({ id, name }) => [id, name]));
  const found = await runtime.usage([...nameOf.keys()], { deadlineMs });
  return new Map(found.map((usage) => [nameOf.get(usage.id) ?? "", usage]));
}

interface Readings {
  before: Reading;
  now: Reading;
  names: readonly string[];
}

type Measures = Omit<Sample, "at" | "count">;

function compare({ stack }: DeploymentRow, { before, now, names }: Readings): Measures {
  const cpu = average(names.map((name) => shareOf(before.usage?.get(name), now.usage?.get(name))));
  const seconds = (now.at - before.at) / 1000;
  const requests =
    before.stats.epoch === now.stats.epoch && seconds > 0 ? requestsOf({ before, now, names }) : undefined;
  const limit = stack?.limits.cpu ?? 1;
  return {
    ...(cpu === undefined ? {} : { cpu: (cpu / limit) * 100 }),
    ...(requests === undefined ? {} : { requests: requests / seconds }),
    // Without a reading before, these are no times of a known while.
    ...(before.timings && now.timings ? { p95: slowest(now.timings, names) } : {}),
  };
}

/** Processors that an instance kept busy between two readings. */
function shareOf(before: Usage | undefined, now: Usage | undefined): number | undefined {
  if (!before || !now || before.id !== now.id || before.since !== now.since) return undefined;
  const passed = now.readAt - before.readAt;
  return passed > 0 ? Math.max(0, now.cpuMs - before.cpuMs) / passed : undefined;
}

function requestsOf({ before, now, names }: Readings): number | undefined {
  return average(
    names.map((name) => {
      const [then, since] = [before.stats.counters[name], now.stats.counters[name]];
      return then && since ? Math.max(0, since.requests - then.requests) : undefined;
    }),
  );
}

function slowest({ times }: Timings, names: readonly string[]): { ms: number; of: number } {
  const all = addTimes(
    {},
    names.flatMap((name) => times[name] ?? []),
  );
  return { ms: quantileOf(all, 0.95), of: countOf(all) };
}

/** Of those that are known; nothing where these are too few to speak for all. */
function average(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0 || known.length * 2 < values.length) return undefined;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
