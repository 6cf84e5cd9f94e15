import { refuse, type Refusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Tx } from "#kernel/database.ts";
import { canPause } from "./core/decide.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { recordWish } from "./record.ts";
import { type DeploymentRow, deploymentStore } from "./store.ts";

interface Deps {
  tx: Tx;
  clock: Clock;
  lifecycle: Lifecycle;
}

/** Holds back traffic, or lets it go on. Refused where all of it has moved or goes back. */
export async function steerDeployment(
  { tx, clock, lifecycle }: Deps,
  id: string,
  wish: { type: "pause" | "promote"; by: string },
): Promise<DeploymentRow | Refusal> {
  const row = await deploymentStore(tx).lockOne(id);
  if (!row) return refuse("not-found", "there is no such deployment");
  if (row.state !== "running" || !row.rollout)
    return refuse(
      "deployment.wrong-state",
      `the deployment ${row.state === "finished" ? "has ended" : "has not begun"}`,
    );
  if (!canPause(row.rollout)) return refuse("deployment.wrong-state", "its traffic has moved already, or goes back");
  const steered = await recordWish({ tx, lifecycle }, row, { ...wish, at: clock.now().toISOString() });
  await lifecycle.queueAdvance(tx, id);
  return steered;
}

/** Valid in every phase: what waits ends at once, what runs goes back. Interrupt the step at work once this is committed. */
export async function cancelDeployment(
  { tx, clock, lifecycle }: Deps,
  id: string,
  by: string,
): Promise<DeploymentRow | Refusal> {
  const row = await deploymentStore(tx).lockOne(id);
  if (!row) return refuse("not-found", "there is no such deployment");
  if (row.state === "finished")
    return refuse("deployment.wrong-state", `the deployment has ended already (${row.outcome})`);
  if (row.state === "waiting") return lifecycle.finish(tx, row, { outcome: "canceled", reason: `canceled by ${by}` });
  const canceled = await recordWish({ tx, lifecycle }, row, { type: "cancel", by, at: clock.now().toISOString() });
  await lifecycle.queueAdvance(tx, id);
  return canceled;
}
