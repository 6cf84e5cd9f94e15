import type { Clock } from "#kernel/clock.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";
import type { Advance } from "./advance.ts";
import { cancelDeployment } from "./cancel.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Requests } from "./requests.ts";
import { deploymentStore } from "./store.ts";

interface Deps {
  clock: Clock;
  lifecycle: Lifecycle;
  requests: Requests;
  advance: Advance;
}

/** One subscriber for both, so that a cancellation never comes before the request that it takes back. */
const subscriber = "deployments.build";

export function deploymentReactions({ clock, lifecycle, requests, advance }: Deps): Reaction[] {
  return [
    reaction(subscriber, "builds.deploy-requested", (tx, { payload, at }) => requests.fromBuild(tx, payload, at)),
    reaction(subscriber, "builds.deploy-canceled", async (tx, { payload }) => {
      const row = await deploymentStore(tx).byRequest(payload.request);
      if (!row || row.state === "finished") return;
      await cancelDeployment({ tx, clock, lifecycle }, row.id, "its build");
      // The step sees the cancellation only after this transaction; interrupted too early, it just tries again.
      advance.interrupt(row.id);
    }),
  ];
}
