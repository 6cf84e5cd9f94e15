/** The configuration of HAProxy 2.6 and later, as text. Pure; every value was checked by `rules.ts` before. */
import { createHash } from "node:crypto";
import type { BalancerConfig, Route, Slot } from "../contract.ts";
import { backendName, nowhere, serverName } from "./names.ts";
import { type Known, renderStates, statesFile } from "./states.ts";

/** Paths inside the container. */
export const insideDirectory = "/run/towline";
export const configFile = "haproxy.cfg";
export const masterSocket = "master.sock";
/** Modes of routes that are not open; changed in the running process too. */
export const modesFile = "modes.map";
export const holdFile = "hold.lua";
/** Buffer in memory with a line for each of the last requests. */
export const requestRing = "requests";
/** Port inside the container behind the published one. */
export const publicPort = 8080;

/**
 * Sockets: two for each connection, one for each listener and each checked slot. 4 000 leaves room for all of them under
 * a hard limit of 20 000 open files, the least that was met; above the limit HAProxy would not start.
 */
const maxConnections = 4_000;

export interface Rendered {
  /** `haproxy.cfg`. */
  text: string;
  /** Name of the file with the host names, which `text` names; it changes with its content. */
  mapName: string;
  /** Content of that file. */
  map: string;
  /** Content of `modes.map`. */
  modes: string;
  /** Content of `servers.state`. */
  states: string;
  /** Hash of all that only a reload can change, and that `text` carries as the description of the process. */
  structure: string;
}

/** `subnets`: CIDR of each network that a route names; `known`: the servers as the process has them that is to hand over. */
export function render(config: BalancerConfig, subnets: ReadonlyMap<string, string>, known?: Known): Rendered {
  const map = renderMap(config);
  const mapName = `hosts-${hash(map)}.map`;
  const frame = [
    ring,
    defaults,
    publicFrontend(mapName),
    ...config.routes.flatMap((route) => internalFrontend(route, subnets)),
    unknownBackend,
  ];
  const structure = hash([...frame, ...config.routes.map((route) => backend(blank(route)))].join("\n"));
  const text = [global(structure), ...frame, ...config.routes.map(backend)].join("\n\n");
  return {
    text: `${text}\n`,
    mapName,
    map,
    modes: renderModes(config),
    states: renderStates(config, known),
    structure,
  };
}

function blank(route: Route): Route {
  return { ...route, slots: route.slots.map(() => ({ state: "maint", weight: 0 })) };
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function renderMap({ routes }: BalancerConfig): string {
  return routes.flatMap(({ id, hosts }) => hosts.map((host) => `${host} ${backendName(id)}\n`)).join("");
}

function renderModes({ routes }: BalancerConfig): string {
  return routes.flatMap(({ id, mode = "open" }) => (mode === "open" ? [] : `${backendName(id)} ${mode}\n`)).join("");
}

/**
 * Requests of a paused route are held in the balancer itself: no server with room is not what HAProxy queues for, and a queue
 * needs one request to be sacrificed. A coroutine asks the map again every 25 ms.
 */
export const holdScript = `local modes = Map.new("${insideDirectory}/${modesFile}", Map._str)
core.register_action("hold", { "http-req" }, function(txn)
  local route = txn.f:be_name()
  local over = core.now().sec + 30
  while modes:lookup(route) == "paused" and core.now().sec < over do core.msleep(25) end
end)
`;

// Old processes after a reload live as long as a tunnel in them, but not longer than `hard-stop-after`.
function global(structure: string): string {
  return `global
  description ${structure}
  maxconn ${maxConnections}
  hard-stop-after 15m
  lua-load ${insideDirectory}/${holdFile}
  server-state-file ${insideDirectory}/${statesFile}
  mworker-max-reloads 20`;
}

/** A line for each request is some 80 bytes, so that the last 13 000 or so are known; nothing is written to a disk. */
export const ringBytes = 1024 * 1024;
const ring = `ring ${requestRing}
  format raw
  maxlen 256
  size ${ringBytes}`;

/**
 * - `log-format`: process, number of the request, backend, server, status, milliseconds until the server began to answer,
 *   when it began (seconds since 1970), who asked, and the address of the server.
 * - `http-server-close`, not `http-reuse`: when an instance closes an idle connection in the moment in which a request is
 *   sent over it, HAProxy resets the client's connection, and a POST is lost (measured: a fifth of the requests when
 *   provoked, none with a connection for each request, which costs 0.1 to 0.2 ms).
 * - `retry-on conn-failure` only: what was sent is never sent again. `redispatch 1`: each retry goes to another slot.
 * - `idle-close-on-response` and the `handover` backends: after a reload the old process keeps idle connections of clients and
 *   passes their next request on to the new process, so that no client meets a closing connection or an old address.
 * - `inter`: a slot that gets an address waits up to this long for its first check; afterwards `downinter` counts.
 * - `http-keep-alive` is longer than usual clients keep an idle connection (Go: 90 s), so that they close first.
 */
const defaults = `defaults
  mode http
  log ring@${requestRing} len 256 local0
  log-format "%pid %rt %b %s %ST %Tr %Ts %ci %si"
  timeout connect 2s
  timeout check 2s
  timeout client 60s
  timeout server 60s
  timeout http-request 15s
  timeout http-keep-alive 95s
  timeout queue 5s
  timeout tunnel 1h
  retries 3
  retry-on conn-failure
  option redispatch 1
  option http-server-close
  option idle-close-on-response
  option forwardfor except 127.0.0.0/8
  balance roundrobin
  load-server-state-from-file global
  default-server inter 300ms fastinter 100ms downinter 100ms rise 1 fall 3
  unique-id-format %[uuid()]
${errors([
  [400, "request.invalid", "The request is not valid HTTP."],
  [408, "request.timeout", "The request did not arrive in time."],
  [500, "internal", "The load balancer failed."],
  [502, "route.bad-answer", "The instance broke off its answer."],
  [503, "route.unavailable", "No instance of this service is ready."],
  [504, "route.timeout", "The instance did not answer in time."],
])}`;

function errors(rows: [number, string, string][]): string {
  return rows
    .map(
      ([status, code, message]) => `  http-error status ${status} content-type application/json ${body(code, message)}`,
    )
    .join("\n");
}

function body(code: string, message: string): string {
  return `lf-string '{"error":{"code":"${code}","message":"${message}","requestId":"%[var(txn.request_id)]"}}'`;
}

/** A request keeps the id it came with, if that is harmless; the answer tells it. */
const common = `  http-request set-header X-Request-Id %[unique-id] unless { req.hdr(X-Request-Id) -m reg ^[A-Za-z0-9._-]{1,64}$ }
  http-request set-var(txn.request_id) req.hdr(X-Request-Id)
  http-after-response set-header X-Request-Id %[var(txn.request_id)] if { var(txn.request_id) -m found }
  http-request set-header X-Forwarded-Proto http unless { req.hdr(X-Forwarded-Proto) -m found }`;

function publicFrontend(mapName: string): string {
  return `frontend public
  bind *:${publicPort}
${common}
  use_backend handover_${publicPort} if { stopping }
  use_backend %[req.hdr(host),host_only,lower,map_str(${insideDirectory}/${mapName},unknown)]

${handover(publicPort)}`;
}

function internalFrontend(route: Route, subnets: ReadonlyMap<string, string>): string[] {
  const port = route.internalPort;
  if (port === undefined) return [];
  const sources = [route.network, ...(route.guests ?? [])].map((network) => {
    const subnet = subnets.get(network);
    if (subnet === undefined) throw new Error(`the subnet of ${network} is not known`);
    return subnet;
  });
  return [
    `frontend internal_${port}
  bind *:${port}
  tcp-request connection reject unless { src ${sources.join(" ")} 127.0.0.0/8 }
${common}
  use_backend handover_${port} if { stopping }
  default_backend ${backendName(route.id)}`,
    handover(port),
  ];
}

function handover(port: number): string {
  return `backend handover_${port}
  server next 127.0.0.1:${port}`;
}

const unknownBackend = `backend unknown
  http-request return status 404 content-type application/json ${body("route.unknown", "No service has this host name.")}`;

function backend(route: Route): string {
  const head = [`backend ${backendName(route.id)}`, ...check(route), ...modes(route)];
  return [...head, ...route.slots.map(server)].join("\n");
}

const maintenancePage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Maintenance</title><body><h1>Maintenance</h1><p>This service is being worked on. Please try again in a minute.</p></body></html>`;

/** Only where people or services can ask. */
function modes({ hosts, internalPort }: Route): string[] {
  if (hosts.length === 0 && internalPort === undefined) return [];
  const mode = `be_name,map_str(${insideDirectory}/${modesFile},open) -m str`;
  return [
    `  http-request return status 503 hdr Retry-After 60 hdr Cache-Control no-store content-type "text/html; charset=utf-8" string '${maintenancePage}' if { ${mode} maintenance }`,
    `  http-request lua.hold if { ${mode} paused }`,
  ];
}

function check({ healthPath, hosts }: Route): string[] {
  if (healthPath === undefined) return [];
  const host = hosts[0] ?? "localhost";
  return [
    "  option httpchk",
    `  http-check send meth GET uri ${healthPath} ver HTTP/1.1 hdr Host ${host} hdr User-Agent towline-health hdr Connection close`,
    "  http-check expect status 200-399",
  ];
}

/** `drain` cannot be written down as a state; no weight comes to the same. */
function server({ address, state, weight }: Slot, index: number): string {
  const { host, port } = address ?? nowhere;
  const disabled = !address || state === "maint" ? " disabled" : "";
  return `  server ${serverName(index)} ${host}:${port} check${disabled} weight ${state === "drain" ? 0 : weight}`;
}
