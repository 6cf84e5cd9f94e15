/** Maintenance and pauses of routes: written with an event, and over by themselves. */
import { refuse, type Refusal } from "#api/errors.ts";
import type { RouteMode } from "#drivers/balancer/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Jobs } from "#kernel/jobs.ts";
import type { Emit } from "#kernel/outbox.ts";
import { queueExpiry } from "./reconcile.ts";
import { type Place, type RoutingStore, routingStore } from "./store.ts";

export type ModeChange = { by: string; reason?: string | undefined } & (
  | { mode: "open" }
  | { mode: Exclude<RouteMode, "open">; forMs: number }
);

/** A route that is not open, and until when. */
export interface Closed extends Place {
  mode: RouteMode;
  until: Date;
}

interface Deps {
  db: Database;
  emit: Emit;
  clock: Clock;
  jobs: Jobs;
}

const subjectOf = ({ service, environment }: Place) => `route:${service}:${environment}`;

export function changeMode(
  { db, emit, clock, jobs }: Deps,
  { service, environment }: Place,
  change: ModeChange,
): Promise<Refusal | undefined> {
  const until = change.mode === "open" ? null : new Date(clock.now().getTime() + change.forMs);
  return db.transaction().execute(async (tx) => {
    const place = { service, environment };
    const row = await routingStore(tx).setMode(place, { mode: change.mode, mode_until: until });
    if (!row) return refuse("not-found", `${service} has no route in ${environment}`);
    const { mode, by: actor, reason } = change;
    await emit(tx, subjectOf(place), "routing.mode-changed", {
      ...{ service, environment, mode, actor },
      ...(until ? { until: until.toISOString() } : {}),
      ...(reason === undefined ? {} : { reason }),
    });
    if (until) await queueExpiry(tx, jobs, until);
    return undefined;
  });
}

/** Opens what is over; told by the same event, with the platform as who did it. */
export function openExpired({ db, emit, clock }: Omit<Deps, "jobs">): Promise<void> {
  return db.transaction().execute(async (tx) => {
    for (const place of await routingStore(tx).openExpired(clock.now()))
      await emit(tx, subjectOf(place), "routing.mode-changed", {
        ...{ ...place, mode: "open", actor: "towline", reason: "its time is over" },
      });
  });
}

export async function readClosed(store: RoutingStore): Promise<Closed[]> {
  const routes = await store.routes();
  return routes.flatMap(({ service, environment, mode, mode_until: until }) =>
    until ? [{ service, environment, mode, until }] : [],
  );
}
