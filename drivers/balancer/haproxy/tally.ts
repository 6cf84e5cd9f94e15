/** Adds up the counters of all the processes a balancer ever had, so that a reload does not set them back. */
import type { Counters, RouteStats } from "../contract.ts";
import type { StatLine } from "./parse.ts";
import { serverName } from "./names.ts";

export interface Tally {
  /** Takes what a process says of one backend. */
  note(route: string, pid: number, lines: readonly StatLine[]): void;
  /** Processes that are gone: theirs stay counted. */
  keepOnly(pids: ReadonlySet<number>): void;
  /** Forgets routes that are no longer there. */
  forgetOthers(routes: ReadonlySet<string>): void;
  read(route: string, slots: number): RouteStats;
}

/** Counters by name of the server or `BACKEND`. */
type Lines = Map<string, Counters>;

export function createTally(): Tally {
  const ended = new Map<string, Lines>();
  const living = new Map<string, Map<number, Lines>>();
  const retire = (route: string, pid: number) => {
    const lines = living.get(route)?.get(pid);
    if (lines) ended.set(route, sum([ended.get(route) ?? new Map(), lines]));
    living.get(route)?.delete(pid);
  };
  return {
    note(route, pid, lines) {
      const next = new Map(lines.map((line) => [line.name, countersOf(line)]));
      const before = living.get(route)?.get(pid);
      // Another process with the same number, after the balancer was started anew.
      if (before && smaller(next, before)) retire(route, pid);
      if (!living.has(route)) living.set(route, new Map());
      living.get(route)?.set(pid, next);
    },
    keepOnly(pids) {
      for (const [route, byPid] of living) for (const pid of byPid.keys()) if (!pids.has(pid)) retire(route, pid);
    },
    forgetOthers(routes) {
      for (const all of [ended, living]) for (const route of all.keys()) if (!routes.has(route)) all.delete(route);
    },
    read(route, slots) {
      const all = sum([ended.get(route) ?? new Map(), ...(living.get(route)?.values() ?? [])]);
      const at = (name: string) => all.get(name) ?? none;
      return { ...at("BACKEND"), slots: Array.from({ length: slots }, (_, index) => ({ ...at(serverName(index)) })) };
    },
  };
}

const none: Counters = { requests: 0, serverErrors: 0, connectionErrors: 0 };

function countersOf({ requests, serverErrors, connectionErrors }: StatLine): Counters {
  return { requests, serverErrors, connectionErrors };
}

function smaller(next: Lines, before: Lines): boolean {
  return [...before].some(([name, counters]) => (next.get(name) ?? none).requests < counters.requests);
}

function sum(all: readonly Lines[]): Lines {
  const total: Lines = new Map();
  for (const lines of all)
    for (const [name, counters] of lines) total.set(name, add(total.get(name) ?? none, counters));
  return total;
}

function add(left: Counters, right: Counters): Counters {
  return {
    requests: left.requests + right.requests,
    serverErrors: left.serverErrors + right.serverErrors,
    connectionErrors: left.connectionErrors + right.connectionErrors,
  };
}
