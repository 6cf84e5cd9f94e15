/** Birth, start and end of a deployment, and the jobs that carry it on; each inside the caller's transaction. */
import type { Clock } from "#kernel/clock.ts";
import type { Tx } from "#kernel/database.ts";
import type { JobOptions, Jobs } from "#kernel/jobs.ts";
import type { Emit } from "#kernel/outbox.ts";
import { begin, type Limits } from "./core/rollout.ts";
import { servingStore } from "./serving-store.ts";
import { type DeploymentRow, deploymentStore, type NewDeployment, type Override, type Place } from "./store.ts";
import { unaskedStore } from "./unasked-store.ts";

export const settleTask = "deployments.settle";
export const advanceTask = "deployments.advance";
export const pruneTask = "deployments.prune";

export interface LifecycleDeps {
  emit: Emit;
  clock: Clock;
  jobs: Jobs;
}

export interface End {
  outcome: NonNullable<DeploymentRow["outcome"]>;
  reason: string | null;
}

type Queueing = Pick<JobOptions, "runAt" | "keep">;

export type Lifecycle = ReturnType<typeof createLifecycle>;

export function createLifecycle({ emit, clock, jobs }: LifecycleDeps) {
  const queueSettle = (tx: Tx, { service, environment }: Place, options: Queueing = {}) =>
    jobs.add(tx, settleTask, { service, environment }, { key: `${settleTask}:${service}:${environment}`, ...options });

  const queueAdvance = (tx: Tx, deployment: string, options: Queueing = {}) =>
    jobs.add(tx, advanceTask, { deployment }, { key: `${advanceTask}:${deployment}`, ...options });

  /** It waits until its lane is settled. */
  async function create(tx: Tx, deployment: NewDeployment): Promise<DeploymentRow> {
    const row = await deploymentStore(tx).insert(deployment);
    await emit(tx, subjectOf(row), "deployments.deployment-created", {
      ...{ ...factsOf(row), ...requestOf(row), ...(row.actor === null ? {} : { actor: row.actor }) },
    });
    await queueSettle(tx, row);
    return row;
  }

  /** The lane must be locked and free, and its environment locked. */
  async function start(tx: Tx, row: DeploymentRow, limits: Limits): Promise<void> {
    const store = deploymentStore(tx);
    const now = clock.now();
    const rollout = begin(now.toISOString(), limits);
    const { phase } = rollout;
    await store.change(row.id, { state: "running", phase, rollout, wait: null, started_at: now });
    await store.beginStep(row.id, { phase, at: now, detail: null });
    await store.setLane(row, { running: row.id });
    await tell(tx, row);
    await emit(tx, subjectOf(row), "deployments.deployment-changed", { ...factsOf(row), phase });
    await queueAdvance(tx, row.id);
    // One that nobody has judged yet is judged after this, since its environment is locked: many that begin at once would ask for each other.
    for (const other of await servingStore(tx).othersWaiting(row))
      if (other.wait !== null) await queueSettle(tx, other);
  }

  async function finish(tx: Tx, row: DeploymentRow, { outcome, reason }: End): Promise<DeploymentRow> {
    const store = deploymentStore(tx);
    const finished_at = clock.now();
    const ended = await store.change(row.id, {
      ...{ state: "finished", outcome, reason, finished_at },
      ...{ detail: null, wait: null },
    });
    await store.endStep(row.id, finished_at, outcome === "succeeded" ? null : reason);
    const lane = await store.lockLane(row);
    if (lane.running === row.id) {
      await store.setLane(row, { running: null });
      await tell(tx, row);
    }
    // As it is now: a build may have taken it for its own meanwhile.
    await tellEnd({ tx, emit }, ended);
    await queueSettle(tx, row);
    // Another service may have waited for this one.
    for (const other of await servingStore(tx).othersWaiting(row)) await queueSettle(tx, other);
    if (row.stack) await jobs.add(tx, pruneTask, { service: row.service }, { key: `${pruneTask}:${row.service}` });
    return ended;
  }

  async function override(tx: Tx, row: DeploymentRow, given: Omit<Override, "at">): Promise<DeploymentRow> {
    const { freeze, reason, by: actor } = given;
    const changed = await deploymentStore(tx).addOverride(row.id, { ...given, at: clock.now().toISOString() });
    const payload = { ...factsOf(row), freeze, reason, actor };
    await emit(tx, subjectOf(row), "deployments.freeze-overridden", payload);
    await queueSettle(tx, row);
    return changed;
  }

  const changed = (tx: Tx, row: DeploymentRow, phase: string) =>
    emit(tx, subjectOf(row), "deployments.deployment-changed", { ...factsOf(row), phase });

  const tell = (tx: Tx, place: Place) => tellServing({ tx, emit }, place);

  const takeFor = (tx: Tx, id: string, asked: Asked) => takeAsked({ tx, emit }, id, asked);

  return { create, start, finish, takeFor, override, changed, tellServing: tell, queueSettle, queueAdvance };
}

/** After every change of what serves, comes or goes in a lane. */
export async function tellServing({ tx, emit }: Telling, { service, environment }: Place): Promise<void> {
  const commits = (await servingStore(tx).commitsIn(environment, service)).get(service) ?? [];
  const subject = `lane:${service}:${environment}`;
  await emit(tx, subject, "deployments.serving-changed", { service, environment, commits });
}

function factsOf({ id, service, environment, release }: DeploymentRow) {
  return { deployment: id, service, environment, ...(release === null ? {} : { release }) };
}

function sourceOf({ repository, commit }: DeploymentRow) {
  return { ...(repository === null ? {} : { repository }), ...(commit === null ? {} : { commit }) };
}

function requestOf({ request }: DeploymentRow) {
  return request === null ? {} : { request };
}

function subjectOf({ id }: Pick<DeploymentRow, "id">): string {
  return `deployment:${id}`;
}

interface Telling {
  tx: Tx;
  emit: Emit;
}

type Asked = Pick<DeploymentRow, "request" | "build">;

/** One that began by itself is what a build asks for too; the build hears of its end, also of one that is past. */
async function takeAsked({ tx, emit }: Telling, id: string, asked: Asked): Promise<void> {
  await deploymentStore(tx).lockOne(id);
  await tellEnd({ tx, emit }, await unaskedStore(tx).takeFor(id, asked));
}

async function tellEnd({ tx, emit }: Telling, row: DeploymentRow): Promise<void> {
  const { outcome, reason } = row;
  if (outcome === null) return;
  const because = reason === null ? {} : { reason };
  const payload = { ...factsOf(row), ...requestOf(row), ...sourceOf(row), outcome, ...because };
  await emit(tx, subjectOf(row), "deployments.deployment-finished", payload);
}
