import { setTimeout as sleep } from "node:timers/promises";
import { laneKey } from "../lanes.ts";
import type { World } from "../steps/step.ts";
import { deploymentStore } from "../store.ts";
import { backingStore, type WorkRow } from "./backing-store.ts";

/** From the work's row on no deployment of its environment begins; those that had begun are let end. */
export async function waitForDeployments(world: World, work: WorkRow, signal: AbortSignal): Promise<void> {
  const store = deploymentStore(world.db);
  const { environment, id } = work;
  // Who was about to start one when the row was written has done it then.
  for (const lane of await store.lanes())
    if (lane.environment === environment) await world.lanes.hold(laneKey(lane), async () => {});
  for (let told = ""; ;) {
    const running = (await store.open()).filter((row) => row.environment === environment && row.state === "running");
    if (running.length === 0) return;
    const detail = `it waits for the deployment of ${running.map(({ service }) => service).join(", ")}`;
    if (detail !== told) await backingStore(world.db).changeWork(id, { detail });
    told = detail;
    await sleep(world.timing.superviseMs / 5, undefined, { signal });
  }
}
