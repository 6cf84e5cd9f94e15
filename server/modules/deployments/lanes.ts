/** Reads a lane, and decides who goes next in it. */
import type { KeyedLock } from "#kernel/keyed-lock.ts";
import type { DeploymentsDeps } from "./deps.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import { readAncestry } from "./ancestry.ts";
import { type Contender, type IsOlder, type Lane, settle } from "./core/lane.ts";
import type { Limits } from "./core/rollout.ts";
import { type GateDeps, readGates } from "./gate-facts.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { servingStore } from "./serving-store.ts";
import { type DeploymentRow, deploymentStore, type DeploymentStore, type Place } from "./store.ts";

export interface LaneView {
  lane: Lane;
  serving: DeploymentRow | undefined;
  running: DeploymentRow | undefined;
  waiting: DeploymentRow[];
}

export async function readLane(store: DeploymentStore, place: Place): Promise<LaneView> {
  const row = await store.lane(place);
  const known = await store.many([row?.running, row?.serving].filter((id) => id !== null && id !== undefined));
  const serving = known.find(({ id }) => id === row?.serving);
  const running = known.find(({ id }) => id === row?.running);
  const waiting = await store.waiting(place);
  const lane = {
    serving: serving && { release: serving.release ?? 0, commit: serving.commit ?? "" },
    running: running && contender(running),
    waiting: waiting.map(contender),
  };
  return { lane, serving, running, waiting };
}

/** The lane with the gates that are closed for each that waits. */
export async function judgeLane(
  deps: GateDeps,
  view: LaneView,
  environment: EnvironmentFile | undefined,
): Promise<LaneView> {
  const gates = await readGates(deps, environment, view.waiting);
  const waiting = view.waiting.map((row, at) => ({
    ...contender(row),
    closed: (gates[at] ?? []).filter(({ open }) => !open),
  }));
  return { ...view, lane: { ...view.lane, waiting } };
}

/** The order of the source between a commit and all that serves, runs or waits in the lane. */
export function orderIn(
  source: DeploymentsDeps["source"],
  view: LaneView,
  candidates: readonly DeploymentPoint[],
): Promise<IsOlder> {
  const others = [view.serving, view.running, ...view.waiting].filter((each) => each !== undefined);
  return readAncestry(source, candidates, others);
}

type DeploymentPoint = Pick<DeploymentRow, "repository" | "commit">;

interface Deps extends GateDeps {
  source: DeploymentsDeps["source"];
  fleet: Pick<DeploymentsDeps["fleet"], "environment">;
  lifecycle: Lifecycle;
  limits: Limits;
  /** Held while a lane starts a deployment or is repaired, which must not meet. */
  lanes: KeyedLock;
}

/**
 * Supersedes, starts and explains, in a lane that is still what it was when the source was asked for its order: that takes long, and
 * nothing is locked meanwhile.
 */
export async function settleLane(deps: Deps, place: Place): Promise<void> {
  const { db, source, fleet, lifecycle, limits, lanes } = deps;
  await lanes.hold(laneKey(place), async () => {
    for (let settled = false; !settled;) {
      const view = await readLane(deploymentStore(db), place);
      // Whoever comes to wait asks in the same transaction for the lane to be settled once more.
      if (view.waiting.length === 0) return;
      const environment = await fleet.environment(place.environment);
      const isOlder = await orderIn(source, view, view.waiting);
      // In this process it is waited for without a connection, which those that are on their way need.
      using _turn = await lanes.take(`settling in ${place.environment}`);
      settled = await db.transaction().execute(async (tx) => {
        const store = deploymentStore(tx);
        await store.lockLane(place);
        // What may stand beside each other is asked by one at a time, or two that exclude each other would both pass.
        await servingStore(tx).lockEnvironment(place.environment);
        const now = await readLane(store, place);
        if (JSON.stringify(now.lane) !== JSON.stringify(view.lane)) return false;
        const { lane } = await judgeLane({ ...deps, db: tx }, now, environment);
        const decision = settle(lane, isOlder);
        const rowOf = (id: string) => now.waiting.find((each) => each.id === id);
        for (const { id, reason } of decision.superseded) {
          const row = rowOf(id);
          if (row) await lifecycle.finish(tx, row, { outcome: "superseded", reason });
        }
        const next = decision.start === undefined ? undefined : rowOf(decision.start);
        if (next) await lifecycle.start(tx, next, limits);
        for (const { id, wait } of decision.waits) await store.change(id, { wait });
        return true;
      });
    }
  });
}

export function laneKey({ service, environment }: Place): string {
  return `${service} ${environment}`;
}

function contender({ id, kind, release, commit }: DeploymentRow): Contender {
  return { id, kind, release: release ?? 0, commit: commit ?? "", closed: [] };
}
