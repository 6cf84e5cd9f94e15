/** Writes what a decision changes: state, timeline, lane and events in one transaction with whatever the caller adds. */
import type { Database, Tx } from "#kernel/database.ts";
import type { Stack } from "#stack/stack.ts";
import { type Cancel, decide, evolve, type Observation } from "./core/decide.ts";
import type { Phase, Rollout, RolloutEvent } from "./core/rollout.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { type DeploymentRow, deploymentStore } from "./store.ts";

interface Deps {
  db: Database;
  lifecycle: Lifecycle;
}

export interface Seen {
  fence: number;
  observation: Observation;
  /** Rendered by the plan. */
  stack?: Stack;
}

/** The row as it is then, or undefined when somebody else has taken the work up or it is over. */
export function recordObservation({ db, lifecycle }: Deps, id: string, seen: Seen): Promise<DeploymentRow | undefined> {
  return db.transaction().execute(async (tx) => {
    const row = await deploymentStore(tx).lockOne(id);
    if (!row?.rollout || row.state !== "running" || row.fence !== seen.fence) return undefined;
    return write({ tx, lifecycle }, row as Running, seen);
  });
}

/** Takes a running deployment back. Changes nothing on one that is on its way back already. */
export async function recordCancel(
  { tx, lifecycle }: { tx: Tx; lifecycle: Lifecycle },
  row: DeploymentRow,
  cancel: Cancel,
) {
  if (!row.rollout) throw new Error(`deployment ${row.id} does not run`);
  return write({ tx, lifecycle }, row as Running, { observation: cancel });
}

type Running = DeploymentRow & { rollout: Rollout };

async function write(
  { tx, lifecycle }: { tx: Tx; lifecycle: Lifecycle },
  row: Running,
  { observation, stack }: { observation: Observation | Cancel; stack?: Stack },
): Promise<DeploymentRow> {
  const store = deploymentStore(tx);
  const events = decide(row.rollout, observation);
  const detail = observation.type === "pending" && events.length === 0 ? (observation.detail ?? null) : null;
  if (events.length === 0 && detail === row.detail) return row;
  const rollout = evolve(row.rollout, events);
  const changed = await store.change(row.id, { rollout, phase: rollout.phase, detail, ...(stack ? { stack } : {}) });
  // The step ends where its failure was seen; the phase that follows has its own.
  const failure = events.find((event) => event.type === "failed")?.failure.reason ?? null;
  if (failure !== null) await store.endStep(row.id, new Date(observation.at), failure);
  for (const event of events) await follow({ tx, lifecycle }, changed, event);
  const { outcome, reason } = rollout;
  return outcome ? lifecycle.finish(tx, changed, { outcome, reason: reason ?? null }) : changed;
}

async function follow({ tx, lifecycle }: { tx: Tx; lifecycle: Lifecycle }, row: DeploymentRow, event: RolloutEvent) {
  const store = deploymentStore(tx);
  if (event.type === "swapped") await store.change(row.id, { live_at: new Date(event.at) });
  if (event.type !== "entered") return;
  const at = new Date(event.at);
  await store.endStep(row.id, at, null);
  await store.beginStep(row.id, event.phase, at);
  await lifecycle.changed(tx, row, event.phase);
  const traffic = trafficIn[event.phase];
  if (traffic === "here") await store.setLane(row, { serving: row.id });
  if (traffic === "before") await store.setLane(row, { serving: row.rollout?.target?.previous ?? null });
}

/** Where the traffic is for certain once a phase is entered. */
const trafficIn: Partial<Record<Phase, "here" | "before">> = {
  drain: "here",
  stop: "here",
  withdraw: "before",
  remove: "before",
};
