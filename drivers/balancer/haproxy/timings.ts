/** How long instances take, from the lines that HAProxy keeps in memory: its own averages hide the slow requests. */
import type { RouteTimings } from "../contract.ts";
import { parseRequests, type RequestLine } from "./parse.ts";
import { backendName, serverName } from "./names.ts";
import { requestRing } from "./render.ts";
import { type Call, find, type World } from "./world.ts";

export async function routeTimings(
  world: World,
  { route, cursor }: { route: string; cursor: string | undefined },
  { signal }: Call,
): Promise<RouteTimings> {
  const { slots } = find(world, route, 0).route;
  const { current, old } = await world.master.processes(signal);
  const before = parseCursor(cursor);
  const after = new Map<string, string>();
  const fresh: RequestLine[] = [];
  for (const pid of [...old, current].map(String)) {
    const lines = parseRequests(await world.master.events(Number(pid), requestRing, signal));
    const read = before.get(pid);
    after.set(pid, lines.at(-1)?.id ?? read ?? "");
    if (cursor !== undefined) fresh.push(...linesAfter(lines, read));
  }
  const mine = fresh.filter(({ backend, milliseconds }) => backend === backendName(route) && milliseconds >= 0);
  const of = (slot: number) =>
    mine.filter(({ server }) => server === serverName(slot)).map((each) => each.milliseconds);
  return { cursor: formatCursor(after), slots: slots.map((_, slot) => of(slot)) };
}

/** A line that is no longer there has made room for others: then all are new. */
function linesAfter(lines: readonly RequestLine[], read: string | undefined): readonly RequestLine[] {
  return lines.slice(read === undefined ? 0 : lines.findLastIndex(({ id }) => id === read) + 1);
}

/** The last line read, by process: `12:481,15:3`. */
function parseCursor(cursor = ""): Map<string, string> {
  return new Map(
    cursor
      .split(",")
      .filter(Boolean)
      .map((each) => each.split(":") as [string, string]),
  );
}

function formatCursor(read: ReadonlyMap<string, string>): string {
  return [...read].map(([pid, id]) => `${pid}:${id}`).join(",");
}
