/** Who asked whom lately, from the lines that HAProxy keeps in memory. */
import type { Recent } from "../contract.ts";
import { parseRequests, type RequestLine } from "./parse.ts";
import { routeOf } from "./names.ts";
import { requestRing, ringBytes } from "./render.ts";
import type { Call, World } from "./world.ts";

export async function recentRequests(world: World, { signal }: Call): Promise<Recent> {
  const { current, old } = await world.master.processes(signal);
  const uptime = Number((await world.master.info(current, "Uptime_sec", signal)) ?? 0);
  const text = await world.master.events(current, requestRing, signal);
  const lines = parseRequests(text);
  const [first] = lines;
  // A full buffer has made room for newer lines: what it holds begins with its first one.
  const isFull = text.length > ringBytes * 0.9;
  // Both are cut to whole seconds: the difference may lie a second after the start, and after the first request.
  const started = lines.reduce((earliest, { at }) => Math.min(earliest, at), Math.floor(Date.now() / 1000) - uptime);
  const since = isFull && first ? first.at + 1 : started;
  for (const pid of old) lines.push(...parseRequests(await world.master.events(pid, requestRing, signal)));
  return { since, requests: lines.flatMap(viewOf) };
}

function viewOf({ backend, from, to, at, status, milliseconds }: RequestLine) {
  const route = routeOf(backend);
  return route === undefined ? [] : [{ route, from, ...(to === "-" ? {} : { to }), at, status, milliseconds }];
}
