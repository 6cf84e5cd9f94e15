/** Bringing the balancer to a whole configuration. */
import { setTimeout as sleep } from "node:timers/promises";
import { type BalancerConfig, BalancerError } from "../contract.ts";
import { checkConfig } from "../rules.ts";
import { readConfig, restoreConfig, type Saved, sweepMaps, writeConfig } from "./files.ts";
import { persist } from "./master.ts";
import { render, type Rendered } from "./render.ts";
import { settleModes } from "./modes.ts";
import { settle } from "./settle.ts";
import { noteAll } from "./stats.ts";
import type { Call, World } from "./world.ts";

/** For HAProxy to start, or to take over a configuration. */
const settleMs = 15_000;
const lookAgainMs = 20;

export async function apply(world: World, config: BalancerConfig, call: Call): Promise<void> {
  checkConfig(config);
  const networks = [...new Set(config.routes.map(({ network }) => network))];
  const subnets = await world.container.subnets(insides(config), call);
  const wanted = render(config, subnets);
  if ((await world.container.state(call)) === "running") {
    await world.container.attach(networks, call);
    await reload(world, { config, subnets, wanted }, call);
  } else {
    await startAnew(world, { config, subnets, wanted }, call);
    // A machine of a cluster that runs nothing of an environment gets its network only for a container that runs.
    await world.container.attach(networks, call);
  }
  await world.container.detachOthers(networks, call);
  Object.assign(world, { config: structuredClone(config), subnets });
  world.tally.forgetOthers(new Set(config.routes.map(({ id }) => id)));
  await writeConfig(world.directory, wanted);
  await sweepMaps(world.directory, wanted.mapName);
  await settle(world, config.routes, call);
  await settleModes(world, wanted.modes, call);
}

/** Networks from within which routes are reached. */
function insides({ routes }: BalancerConfig): string[] {
  const reached = routes.filter(({ internalPort }) => internalPort !== undefined);
  return [...new Set(reached.flatMap(({ network, guests = [] }) => [network, ...guests]))];
}

interface Wanted {
  config: BalancerConfig;
  subnets: ReadonlyMap<string, string>;
  wanted: Rendered;
}

async function startAnew(world: World, { config, subnets, wanted }: Wanted, call: Call): Promise<void> {
  const { container } = world;
  await writeConfig(world.directory, render(config, subnets, new Map()));
  const state = await container.state(call);
  if (state === "outdated") await container.remove(call);
  if (state !== "stopped") await container.create(call);
  await container.attach([...subnets.keys()], call);
  await container.start(call);
  await serving(world, { structure: wanted.structure }, call);
}

async function reload(world: World, { config, subnets, wanted }: Wanted, call: Call): Promise<void> {
  const { master, directory } = world;
  const { current, reloads, refused } = await master.processes(call.signal);
  const present = await master.info(current, "description", call.signal);
  if (present === wanted.structure && !refused) return;
  await noteAll(world, call);
  const known = await master.servers(current, undefined, call.signal);
  const before = await readConfig(directory);
  await writeConfig(directory, render(config, subnets, known));
  await master.reload(call.signal);
  try {
    await serving(world, { structure: wanted.structure, after: reloads }, call);
  } catch (error) {
    if (before !== undefined && present !== undefined) await goBack(world, { before, present }, call);
    throw error;
  }
}

/**
 * A later restart must find a configuration that works; and after a reload that was refused, the master process would not
 * notice the end of the process that serves, until a reload succeeds.
 */
async function goBack(
  world: World,
  { before, present }: { before: Saved; present: string },
  call: Call,
): Promise<void> {
  await restoreConfig(world.directory, before);
  const { reloads } = await world.master.processes(call.signal);
  await world.master.reload(call.signal);
  await serving(world, { structure: present, after: reloads }, call);
}

interface Takeover {
  structure: string;
  /** Number of reloads before the one that is awaited. */
  after?: number;
}

/** Waits until the process with this structure takes the connections, and those before it know that they end. */
async function serving(world: World, takeover: Takeover, call: Call): Promise<void> {
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(settleMs)]);
  try {
    while (!(await persist(() => tookOver(world, takeover, signal), signal)))
      await sleep(lookAgainMs, undefined, { signal });
  } catch (error) {
    if (call.signal.aborted) throw error;
    const words = await world.container.lastWords(call);
    const message = `the balancer does not come up: ${(error as Error).message}; its last words: ${words}`;
    throw new BalancerError("balancer-unreachable", message, { cause: error });
  }
}

async function tookOver({ master }: World, { structure, after }: Takeover, signal: AbortSignal): Promise<boolean> {
  const { current, old, reloads, refused } = await master.processes(signal);
  if (reloads === after) return false;
  const present = await master.info(current, "description", signal);
  if (present !== structure && refused) throw new Error("it refused the configuration");
  const stopping = await Promise.all(old.map((pid) => master.info(pid, "Stopping", signal)));
  // A process that ended meanwhile tells nothing.
  return present === structure && stopping.every((value) => value === undefined || value === "1");
}
