/**
 * The seam to the load balancer of one host. It and the instances outlive the control plane: everything it needs lies on
 * its own disk, and it comes up again by itself with the addresses and states that were last set.
 *
 * The routes are declared as a whole by `apply`; their slots are then changed by `setSlots`, which never
 * interrupts a connection. After a start of the control plane, `apply` comes first. Calls that change anything are taken
 * one after the other. Every call takes a deadline (default 10 s) and a signal, may be repeated, and fails with a
 * `BalancerError` only.
 */

export const balancerFailures = [
  /** A name, address, port or path that may not stand in a configuration. */
  "invalid",
  /** No such route or slot in what was last applied. */
  "not-found",
  /** The published port is taken by something else on this host. */
  "port-taken",
  "image-missing",
  /** The engine does not answer. */
  "docker-unreachable",
  /** The balancer does not answer, or did not start; the message has its last words. */
  "balancer-unreachable",
  "disk-full",
  "deadline",
  "aborted",
] as const;
export type BalancerFailure = (typeof balancerFailures)[number];

export class BalancerError extends Error {
  readonly code: BalancerFailure;
  constructor(code: BalancerFailure, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "BalancerError";
    this.code = code;
  }
}

export interface CallOptions {
  /** Milliseconds until the call gives up. */
  deadlineMs?: number;
  signal?: AbortSignal;
}

export interface Address {
  /** IPv4. */
  host: string;
  port: number;
}

/**
 * `ready`: gets requests while its health check passes. `drain`: no new requests, those under way go on, health is still
 * checked. `maint`: nothing, not even checks.
 */
export const slotStates = ["ready", "drain", "maint"] as const;
export type SlotState = (typeof slotStates)[number];

export interface Slot {
  /** Absent: an empty slot, which is in `maint` whatever `state` says. */
  address?: Address;
  state: SlotState;
  /** Share of new requests among the slots that are ready, 0 to 256. */
  weight: number;
}

export interface SlotPlace {
  /** Id of its route. */
  route: string;
  /** Of the slot in its route, from 0. */
  position: number;
}

export interface SlotChange extends SlotPlace {
  /** What it becomes. */
  slot: Slot;
}

/**
 * `maintenance`: every new request is answered 503 with a page and `Retry-After`. `paused`: every new request is held, until
 * the route opens or it has waited 30 s; then it goes on. Requests under way go on in both.
 */
export const routeModes = ["open", "maintenance", "paused"] as const;
export type RouteMode = (typeof routeModes)[number];

export interface Route {
  /** `[a-z0-9][a-z0-9.-]*`, at most 80 characters, unique. */
  id: string;
  /** Host names by which the published port reaches this route, without port; unique over all routes. */
  hosts: readonly string[];
  /** Network (the engine's name, as `Runtime.ensureNetwork` gives it) where the instances are. */
  network: string;
  /**
   * Port on which containers of `network` and of `guests`, and of no other network, reach this route as `http://balancer:<port>`; 10000
   * to 29999, unique over all routes.
   */
  internalPort?: number;
  /** Its network reaches every machine of a cluster, so that balancers on the others can serve it too. */
  spansMachines?: boolean;
  /** Networks of other routes whose containers reach it at that port too. */
  guests?: readonly string[];
  /** Path that answers 2xx or 3xx when an instance is ready; absent: it is ready when its port takes connections. */
  healthPath?: string;
  /** Absent: `open`. */
  mode?: RouteMode;
  /** As many as can ever be needed: instances, and as many again during a rollout. 1 to 64. A change of the number reloads. */
  slots: readonly Slot[];
}

export interface BalancerConfig {
  routes: readonly Route[];
}

/** `unknown`: no check has ended since the address was set, or the slot is not applied yet. */
export const slotHealths = ["up", "down", "unknown"] as const;

export interface SlotHealth {
  health: (typeof slotHealths)[number];
  /** What the last check said, for people: `200`, `503`, `connection refused`, `timeout`. Absent while unknown. */
  detail?: string;
}

export interface Counters {
  /** Requests that ended, however they did. */
  requests: number;
  /** Answers 500 to 599, the balancer's own (no instance, timeout) among them for a route. */
  serverErrors: number;
  /** Connections that failed, and answers that broke off or never came. */
  connectionErrors: number;
}

export interface RouteStats extends Counters {
  /** In the order of the slots. */
  slots: readonly Counters[];
}

export interface RouteTimings {
  cursor: string;
  /** In the order of the slots. */
  slots: readonly (readonly number[])[];
}

/** A request that ended. */
export interface RecentRequest {
  route: string;
  /** IPv4 of who asked. */
  from: string;
  /** IPv4 of the instance that it went to; absent where none took it. */
  to?: string;
  /** When it began, in seconds since 1970. */
  at: number;
  /** Of the answer; -1 where the client went away before. */
  status: number;
  /** From the request sent to the first byte of the answer; -1 where none came. */
  milliseconds: number;
}

export interface Recent {
  /** From then on all are known, in seconds since 1970. */
  since: number;
  requests: readonly RecentRequest[];
}

export interface Balancer {
  /**
   * Makes the balancer serve exactly these routes: starts it if it is not there, attaches it to the networks (which must
   * exist), and reloads it without loss when routes, host names, ports, health paths or numbers of slots changed. Slots
   * are set as `setSlots` sets them, and modes change without a reload. The same configuration again changes nothing. `invalid` leaves everything as it was.
   * Returns when the routes serve. Default deadline 60 s.
   */
  apply(config: BalancerConfig, options?: CallOptions): Promise<void>;

  /**
   * Changes slots in place, at the price of one. Those that become `ready` are in force before any other is touched, so
   * that no route is left empty between. A new address gets its first request only after a health check that began after this call
   * has passed, even when the state is `ready` at once; so: `drain` and the new address, await `health` = `up`, `ready`.
   * Taking a slot out: `drain`, await `sessions` = 0, then `maint` (the order matters: only then may the instance end).
   * What is set is on disk before it is in force.
   */
  setSlots(changes: readonly SlotChange[], options?: CallOptions): Promise<void>;

  /**
   * What the balancer's own checks, made from the instances' network, say of the slots' present addresses; as many as it is asked for.
   * Who asks may be ahead of what was applied: of a route or slot that is not here yet nothing is known, and of the others all the same.
   */
  health(slots: readonly SlotPlace[], options?: CallOptions): Promise<SlotHealth[]>;

  /**
   * Requests and tunnels (WebSockets) under way on the slot's present address, those of a configuration before the last
   * reload too. 0 means that ending the instance cuts nobody off.
   */
  sessions(route: string, slot: number, options?: CallOptions): Promise<number>;

  /**
   * `host:port` of every instance to which a new request to this route can go right now, as the balancer itself sees it:
   * what is set, open and healthy.
   */
  serving(route: string, options?: CallOptions): Promise<string[]>;

  /**
   * Counts that never go down during the life of this object; take differences. Reloads keep them; when the balancer was
   * killed, what it counted since the last call is lost.
   */
  stats(route: string, options?: CallOptions): Promise<RouteStats>;

  /**
   * How long instances took to answer, in milliseconds from the request sent to the first byte of the answer, by slot, of the
   * requests that ended since the call that gave this cursor. Without a cursor none: this is where one begins. When there
   * were more than the balancer keeps (some ten thousand of all routes), the oldest are missing.
   */
  timings(route: string, cursor: string | undefined, options?: CallOptions): Promise<RouteTimings>;

  /** The requests of all routes that ended lately: as many as the balancer keeps, since it was started or reloaded last. */
  recent(options?: CallOptions): Promise<Recent>;

  /** Ends and removes the balancer with its files. All routes stop serving. Nothing there is no error. */
  remove(options?: CallOptions): Promise<void>;
}

/** Network alias of the balancer on every network it is attached to. */
export const balancerAlias = "balancer";

/** An empty slot. */
export const emptySlot: Slot = { state: "maint", weight: 100 };
