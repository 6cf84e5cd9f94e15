/** Reading counters, sessions and health. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Address, RouteStats, Slot, SlotHealth, SlotPlace } from "../contract.ts";
import { checkDetail, isForgotten, type ServerState, serves, type StatLine } from "./parse.ts";
import { backendName, serverName } from "./names.ts";
import { type Call, find, slotAt, type World } from "./world.ts";

/** Takes the counters of all routes, before a reload starts them anew. */
export async function noteAll(world: World, { signal }: Call): Promise<void> {
  const { current } = await world.master.processes(signal);
  const lines = await world.master.stats(current, undefined, signal);
  for (const { id } of world.config.routes) world.tally.note(id, current, lines.get(backendName(id)) ?? []);
}

export async function routeStats(world: World, route: string, { signal }: Call): Promise<RouteStats> {
  const { slots } = find(world, route, 0).route;
  const { current, old } = await world.master.processes(signal);
  for (const pid of [current, ...old]) world.tally.note(route, pid, await linesOf(world, { route, pid }, signal));
  world.tally.keepOnly(new Set([current, ...old]));
  return world.tally.read(route, slots.length);
}

/** Of all processes; the slot may have had another address before, hence by address. */
export async function sessionsAt(world: World, route: string, slot: Slot, { signal }: Call): Promise<number> {
  if (!slot.address) return 0;
  const address = `${slot.address.host}:${slot.address.port}`;
  const { current, old } = await world.master.processes(signal);
  let total = 0;
  for (const pid of [current, ...old])
    for (const line of await linesOf(world, { route, pid }, signal))
      if (line.address === address) total += line.sessions;
  return total;
}

export async function servingIn(world: World, route: string, { signal }: Call): Promise<string[]> {
  find(world, route, 0);
  const { current } = await world.master.processes(signal);
  const servers = (await world.master.servers(current, backendName(route), signal)).get(backendName(route)) ?? [];
  return servers.filter(serves).map(({ host, port }) => `${host}:${port}`);
}

/** One question for all of them, however many there are. */
export async function slotsHealth(world: World, places: readonly SlotPlace[], { signal }: Call): Promise<SlotHealth[]> {
  const asked = places.map((place) => ({ ...place, slot: slotAt(world, place.route, place.position) }));
  if (!asked.some(({ slot }) => isChecked(slot))) return asked.map(() => ({ health: "unknown" }));
  const [first, ...more] = new Set(places.map(({ route }) => backendName(route)));
  const only = more.length === 0 ? first : undefined;
  const { current } = await world.master.processes(signal);
  const servers = await world.master.servers(current, only, signal);
  const ask = async () => {
    const lines = await world.master.stats(current, only, signal);
    return asked.map(({ route, position, slot }): Found => {
      if (!isChecked(slot)) return unknown;
      const { host, port } = slot.address;
      const name = serverName(position);
      const server = servers.get(backendName(route))?.find((each) => each.name === name);
      const line = lines.get(backendName(route))?.find((each) => each.name === name);
      if (!server || !line || server.host !== host || server.port !== port) return unknown;
      return { health: judge(server, line), codeIsForgotten: line.check === "L7STS" && isForgotten(line.checkCode) };
    });
  };
  let found = await ask();
  for (let again = 0; again < 2 && found.some(({ codeIsForgotten }) => codeIsForgotten); again++) {
    await sleep(checkMs);
    found = await ask();
  }
  return found.map(({ health }) => health);
}

interface Found {
  health: SlotHealth;
  /** The code says why a server is down, and HAProxy forgets it while the next check is under way. */
  codeIsForgotten: boolean;
}

const unknown: Found = { health: { health: "unknown" }, codeIsForgotten: false };
/** Longer than most checks take. */
const checkMs = 30;

function isChecked(slot: Slot | undefined): slot is Slot & { address: Address } {
  return slot?.address !== undefined && slot.state !== "maint";
}

/**
 * By the last check that has ended, which the line tells even while the next is under way. HAProxy takes a server out after three
 * that failed: one that gets requests is not down for a check that was late, and nothing is known of it until the next one.
 */
function judge({ up }: ServerState, line: StatLine): SlotHealth {
  const passed = line.check.endsWith("OK");
  if (up && passed) return { health: "up", detail: checkDetail(line) };
  // Down with a check that passed: that was the check of an address before this one.
  const failed = !passed && line.check !== "" && line.check !== "INI";
  return !up && failed ? { health: "down", detail: checkDetail(line) } : { health: "unknown" };
}

/** A process that ended meanwhile has no lines. */
async function linesOf(
  world: World,
  { route, pid }: { route: string; pid: number },
  signal: AbortSignal,
): Promise<StatLine[]> {
  const backend = backendName(route);
  return (await world.master.stats(pid, backend, signal)).get(backend) ?? [];
}
