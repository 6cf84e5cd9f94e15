import type { Clock } from "#kernel/clock.ts";
import { type Reaction, reaction } from "#kernel/outbox.ts";
import type { Advance } from "./advance.ts";
import { cancelDeployment } from "./cancel.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { gateStore } from "./gate-store.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Previews } from "./previews/open-preview.ts";
import type { Requests } from "./requests.ts";
import { deploymentStore } from "./store.ts";

interface Deps {
  clock: Clock;
  lifecycle: Lifecycle;
  requests: Requests;
  previews: Previews;
  advance: Advance;
  releases: Pick<DeploymentsDeps["releases"], "releaseById">;
}

/** One subscriber for both, so that a cancellation never comes before the request that it takes back. */
const subscriber = "deployments.build";

export function deploymentReactions({ clock, lifecycle, requests, previews, advance, releases }: Deps): Reaction[] {
  return [
    reaction(subscriber, "builds.deploy-requested", (tx, { payload, at }) => requests.fromBuild(tx, payload, at)),
    reaction(subscriber, "builds.deploy-canceled", async (tx, { payload }) => {
      const row = await deploymentStore(tx).byRequest(payload.request);
      if (!row || row.state === "finished") return;
      await cancelDeployment({ tx, clock, lifecycle }, row.id, "its build");
      // The step sees the cancellation only after this transaction; interrupted too early, it just tries again.
      advance.interrupt(row.id);
    }),
    reaction("deployments.contracts", "contracts.verified", async (tx, { payload }) => {
      const named = new Set([payload.provider, payload.consumer]);
      for (const row of await deploymentStore(tx).open())
        if (row.state === "waiting" && named.has(row.service)) await lifecycle.queueSettle(tx, row);
    }),
    reaction("deployments.attestations", "attestations.release-attested", async (tx, { payload }) => {
      for (const row of await deploymentStore(tx).open())
        if (row.state === "waiting" && row.service === payload.service) await lifecycle.queueSettle(tx, row);
    }),
    ...promotions({ requests, previews, releases }),
    ...pushes,
  ];
}

function promotions({ requests, previews, releases }: Pick<Deps, "requests" | "previews" | "releases">): Reaction[] {
  return [
    reaction("deployments.promote", "releases.release-created", async (tx, { payload }) => {
      const release = await releases.releaseById(payload.release);
      if (!release) return;
      await (release.pullRequest === null ? requests.promote(tx, release, undefined) : previews.take(tx, release));
    }),
    reaction("deployments.promote", "deployments.deployment-finished", async (tx, { payload }) => {
      const row = payload.outcome === "succeeded" ? await deploymentStore(tx).one(payload.deployment) : undefined;
      if (row) await previews.follow(tx, row.environment);
      if (row?.kind !== "deploy" || row.release_id === null) return;
      const release = await releases.releaseById(row.release_id);
      if (release) await requests.promote(tx, release, row.environment);
    }),
  ];
}

/** Who pushed a commit is an author of it; a merge comes as a push too, and is taken back. */
const pushes: Reaction[] = [
  reaction("deployments.pushers", "source.ref-changed", async (tx, { payload }) => {
    const { repository, after: revision, actor } = payload;
    if (revision && actor) await gateStore(tx).addPusher({ repository, revision, user_name: actor });
  }),
  reaction("deployments.pushers", "source.pull-request-merged", async (tx, { payload }) => {
    const { repository, commit: revision, actor } = payload;
    if (actor) await gateStore(tx).forgetPusher({ repository, revision, user_name: actor });
  }),
];
