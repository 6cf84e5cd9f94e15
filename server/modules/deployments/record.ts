/** Writes what a decision changes: state, timeline, lane and events in one transaction with whatever the caller adds. */
import type { Database, Tx } from "#kernel/database.ts";
import type { Stack } from "#stack/stack.ts";
import { decide, evolve } from "./core/decide.ts";
import type { Observation, Wish } from "./core/observation.ts";
import type { Rollout, RolloutEvent } from "./core/rollout.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { type DeploymentRow, type DeploymentStore, deploymentStore } from "./store.ts";

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

/** What a person asks of a running deployment; changes nothing where it cannot be any more. */
export async function recordWish({ tx, lifecycle }: { tx: Tx; lifecycle: Lifecycle }, row: DeploymentRow, wish: Wish) {
  if (!row.rollout) throw new Error(`deployment ${row.id} does not run`);
  return write({ tx, lifecycle }, row as Running, { observation: wish });
}

type Running = DeploymentRow & { rollout: Rollout };

async function write(
  { tx, lifecycle }: { tx: Tx; lifecycle: Lifecycle },
  row: Running,
  { observation, stack }: { observation: Observation | Wish; stack?: Stack },
): Promise<DeploymentRow> {
  const store = deploymentStore(tx);
  const { events, detail, isNew } = judge(row, observation);
  if (!isNew) return row;
  const rollout = evolve(row.rollout, events);
  const changed = await store.change(row.id, { rollout, phase: rollout.phase, detail, ...(stack ? { stack } : {}) });
  // The step ends where its failure was seen; the phase that follows has its own.
  const failure = events.find((event) => event.type === "failed")?.failure.reason ?? null;
  if (failure !== null) await store.endStep(row.id, new Date(observation.at), failure);
  const judged = events.find((event) => event.type === "judged")?.words ?? null;
  for (const event of events) await follow({ tx, lifecycle, detail: judged }, changed, event);
  if (events.some(movesTraffic)) await lifecycle.tellServing(tx, row);
  const { outcome, reason } = rollout;
  return outcome ? lifecycle.finish(tx, changed, { outcome, reason: reason ?? null }) : changed;
}

/** What is seen of one that waits is mostly what was seen before: `isNew` where there is something to write. */
function judge(row: Running, observation: Observation | Wish) {
  const events = decide(row.rollout, observation);
  const detail = observation.type === "pending" && events.length === 0 ? (observation.detail ?? null) : null;
  return { events, detail, isNew: events.length > 0 || detail !== row.detail };
}

/** Whether what was seen changes a deployment that was just read. Should that have changed meanwhile, the next look sees it. */
export function isNews(row: Running, observation: Observation): boolean {
  return judge(row, observation).isNew;
}

const movesTraffic = (event: RolloutEvent): boolean =>
  event.type === "went-live" || (event.type === "entered" && (event.phase === "remove" || event.phase === "keep"));

interface Follow {
  tx: Tx;
  lifecycle: Lifecycle;
  /** What the step that ends is remembered for. */
  detail: string | null;
}

async function follow({ tx, lifecycle, detail }: Follow, row: DeploymentRow, event: RolloutEvent) {
  const store = deploymentStore(tx);
  if (event.type === "went-live") {
    await store.change(row.id, { live_at: new Date(event.at) });
    await store.setLane(row, { serving: row.id });
  }
  if (event.type === "finished") await serveAtEnd(store, row, event);
  if (event.type !== "entered") return;
  const at = new Date(event.at);
  await store.beginStep(row.id, { phase: event.phase, at, detail });
  await lifecycle.changed(tx, row, event.phase);
  if (event.phase === "remove") await serveBefore(store, row);
  if (event.phase === "keep") await store.setLane(row, { serving: row.id });
}

/** Also where the way back was given up: the supervisor then brings back what should serve. */
async function serveAtEnd(
  store: DeploymentStore,
  row: DeploymentRow,
  { outcome }: Extract<RolloutEvent, { type: "finished" }>,
): Promise<void> {
  if (outcome === "succeeded" || row.rollout?.kept) await store.setLane(row, { serving: row.id });
  else if (row.rollout?.target) await serveBefore(store, row);
}

async function serveBefore(store: DeploymentStore, row: DeploymentRow): Promise<void> {
  await store.setLane(row, { serving: row.rollout?.target?.previous ?? null });
}
