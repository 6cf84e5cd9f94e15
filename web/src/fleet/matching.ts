import type { Output } from "../api/call.ts";
import type { Tone } from "../theme.ts";

export type Status = Output<"getStatus">;
export type Cell = Status["services"][number]["cells"][number];

/** `show`: `service/environment` whose deployment is looked at. */
export interface FleetSearch {
  find?: string;
  /** The deployment that is looked at: service and environment. */
  show?: string;
  /** The service whose way to production stands open. */
  way?: string;
  /** Absent: all. */
  state?: StateFilter;
}

export function fleetSearch(search: Record<string, unknown>): FleetSearch {
  const words = (["find", "show", "way"] as const).flatMap((name) =>
    typeof search[name] === "string" ? [[name, search[name]]] : [],
  );
  const state = stateFilters.find((each) => each === search["state"]);
  return { ...Object.fromEntries(words), ...(state && state !== "all" ? { state } : {}) };
}

export const stateFilters = ["all", "on fire", "moving", "waiting"] as const;
export type StateFilter = (typeof stateFilters)[number];

const wanted: Record<Exclude<StateFilter, "all">, Tone> = { "on fire": "bad", moving: "busy", waiting: "waiting" };

/** The services whose name, team or release has the words, with a cell in the state. */
export function matching({ services }: Pick<Status, "services">, find: string, state: StateFilter): Status["services"] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  return services.filter(({ service, owner, cells }) => {
    const text = `${service} ${owner ?? ""}`.toLowerCase();
    const has = words.every((word) => text.includes(word));
    return has && (state === "all" || cells.some((cell) => tonesOf(cell).includes(wanted[state])));
  });
}

/** All that is to be said of a place, the most urgent first. */
export function tonesOf(cell: Cell): Tone[] {
  return [
    ...(isOnFire(cell) ? (["bad"] as const) : []),
    ...(cell.running ? (["busy"] as const) : []),
    ...(cell.waiting.length > 0 ? (["waiting"] as const) : []),
    ...(cell.release === null ? (["none"] as const) : ["good" as const]),
  ];
}

export function isOnFire({ healthy, drift, last, running }: Cell): boolean {
  return healthy === false || drift.length > 0 || (!running && isBadEnd(last?.outcome));
}

export function isBadEnd(outcome: string | null | undefined): boolean {
  return outcome === "failed" || outcome === "rolled-back";
}
