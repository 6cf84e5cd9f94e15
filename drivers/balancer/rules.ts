/** What may stand in a configuration. Every value is checked here, before anything is rendered. */
import { isIPv4 } from "node:net";
import { type BalancerConfig, BalancerError, type Route, routeModes, type Slot, slotStates } from "./contract.ts";

const routeId = /^[a-z0-9][a-z0-9.-]{0,79}$/;
const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const networkName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
/** The characters of a URI's path and query, less what HAProxy's lines give a meaning: quotes, `#`, `\`, `$`, `%` other than an escape. */
const healthPath = /^\/([A-Za-z0-9._~!&()*+,;=:@/?-]|%[0-9A-Fa-f]{2}){0,1023}$/;

export const internalPorts = { from: 10_000, to: 29_999 };
const mostRoutes = 5_000;

/** Throws `invalid` with the first thing that is wrong. */
export function checkConfig({ routes }: BalancerConfig): void {
  if (routes.length > mostRoutes) throw invalid(`more than ${mostRoutes} routes`);
  for (const route of routes) checkRoute(route);
  unique(
    "route",
    routes.map(({ id }) => id),
  );
  unique(
    "host name",
    routes.flatMap(({ hosts }) => hosts),
  );
  unique(
    "internal port",
    routes.flatMap(({ internalPort }) => internalPort ?? []),
  );
}

export function checkSlot({ address, state, weight }: Slot): void {
  if (!slotStates.includes(state)) throw invalid(`slot state ${JSON.stringify(state)}`);
  if (!within(weight, 0, 256)) throw invalid(`weight ${weight}`);
  if (!address) return;
  if (!isIPv4(address.host)) throw invalid(`address ${JSON.stringify(address.host)}`);
  if (!within(address.port, 1, 65_535)) throw invalid(`port ${address.port}`);
}

function checkRoute(route: Route): void {
  if (!routeId.test(route.id)) throw invalid(`route name ${JSON.stringify(route.id)}`);
  const host = route.hosts.find((each) => !hostName.test(each));
  if (host !== undefined) throw invalid(`host name ${JSON.stringify(host)}`);
  for (const network of [route.network, ...(route.guests ?? [])])
    if (!networkName.test(network)) throw invalid(`network ${JSON.stringify(network)}`);
  if (route.internalPort !== undefined && !within(route.internalPort, internalPorts.from, internalPorts.to))
    throw invalid(`internal port ${route.internalPort}`);
  if (route.healthPath !== undefined && !healthPath.test(route.healthPath))
    throw invalid(`health path ${JSON.stringify(route.healthPath)}`);
  if (route.mode !== undefined && !routeModes.includes(route.mode)) throw invalid(`mode ${JSON.stringify(route.mode)}`);
  if (!within(route.slots.length, 1, 64)) throw invalid(`${route.slots.length} slots`);
  for (const slot of route.slots) checkSlot(slot);
}

function within(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function unique(what: string, values: readonly (string | number)[]): void {
  const seen = new Set<string | number>();
  for (const value of values) {
    if (seen.has(value)) throw invalid(`${what} ${value} is there twice`);
    seen.add(value);
  }
}

function invalid(what: string): BalancerError {
  return new BalancerError("invalid", `not allowed in a balancer's configuration: ${what}`);
}
