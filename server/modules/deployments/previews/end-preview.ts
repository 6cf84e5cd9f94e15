/** Takes down environments of pull requests. Level-triggered: whoever dies meanwhile, the next look goes on where it was. */
import { endOfPreview } from "../core/preview-end.ts";
import type { Advance } from "../advance.ts";
import { cancelDeployment } from "../cancel.ts";
import { laneKey } from "../lanes.ts";
import { type Lifecycle, pruneTask } from "../lifecycle.ts";
import type { World } from "../steps/step.ts";
import { type DeploymentRow, deploymentStore } from "../store.ts";
import { type PreviewRow, previewStore } from "./preview-store.ts";

interface Tending {
  world: World;
  lifecycle: Lifecycle;
  advance: Pick<Advance, "interrupt">;
}

/** Instances of code that nobody needs any more get no longer to end. */
const graceMs = 10_000;

/** Compares one with its pull request, the clock and the fleet. */
export async function tendPreview(tending: Tending, row: PreviewRow): Promise<void> {
  const { db, clock, source, fleet } = tending.world;
  const { repository, pull_request: pullRequest, expires_at: expiresAt, environment } = row;
  const isOpen = row.ending === null && (await source.isPullRequestOpen(repository, pullRequest));
  const switchedOn = (await fleet.previews()) !== undefined;
  const facts = { pullRequest, repository, isOpen, expiresAt, now: clock.now(), switchedOn };
  const ending = row.ending ?? endOfPreview(facts);
  if (ending === undefined) return;
  await previewStore(db).setEnding(environment, ending);
  await takeDown(tending, { ...row, ending });
}

async function takeDown(tending: Tending, row: PreviewRow & { ending: string }): Promise<void> {
  const { world } = tending;
  const { environment } = row;
  if (await stillOpen(tending, environment)) return;
  const store = deploymentStore(world.db);
  const lanes = (await store.lanes()).filter((lane) => lane.environment === environment);
  // What serves nothing any more, nobody brings back.
  for (const lane of lanes)
    await world.lanes.hold(laneKey(lane), () => store.setLane(lane, { serving: null }).then(() => {}));
  await previewStore(world.db).deleteBackings(environment);
  await removeInstances(world, environment);
  await world.routing.removeRoutes({ environment });
  await world.runtime.removeEnvironment(environment, { volumes: "delete" });
  await world.fleet.forgetPreview(environment);
  await finish(world, row);
}

/** Cancels what is on its way there; answers whether some of it goes on. */
async function stillOpen({ world, lifecycle, advance }: Tending, environment: string): Promise<boolean> {
  const { db, clock } = world;
  const here = (rows: DeploymentRow[]) => rows.filter((each) => each.environment === environment);
  for (const { id, rollout } of here(await deploymentStore(db).open())) {
    if (rollout?.failure) continue;
    await db.transaction().execute((tx) => cancelDeployment({ tx, clock, lifecycle }, id, "the end of its preview"));
    advance.interrupt(id);
  }
  return here(await deploymentStore(db).open()).length > 0;
}

async function removeInstances({ runtime, routing }: World, environment: string): Promise<void> {
  const instances = (await runtime.list({})).filter((each) => each.environment === environment);
  await routing.release(instances.map(({ name }) => name));
  for (const { id } of instances) {
    await runtime.stop(id, { graceMs });
    await runtime.remove(id);
  }
}

async function finish({ db, emit, clock, jobs }: World, row: PreviewRow & { ending: string }): Promise<void> {
  const { environment, repository, pull_request: pullRequest, ending: reason } = row;
  await db.transaction().execute(async (tx) => {
    const store = previewStore(tx);
    const releases = await store.releasesIn(environment);
    await store.deleteLanes({ environment });
    await store.setEnded(environment, clock.now());
    const payload = { environment, repository, pullRequest, reason, releases };
    await emit(tx, `environment:${environment}`, "deployments.preview-ended", payload);
    for (const service of new Set(releases.map((each) => each.service)))
      await jobs.add(tx, pruneTask, { service }, { key: `${pruneTask}:${service}` });
  });
}
