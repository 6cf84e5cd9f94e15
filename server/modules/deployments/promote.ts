import type { Tx } from "#kernel/database.ts";
import type { Release } from "#releases";
import type { DeploymentsDeps } from "./deps.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { newFor } from "./new-deployment.ts";
import { deploymentStore } from "./store.ts";
import type { Wish } from "./weigh.ts";

/** A release that has proved itself goes on by itself where the environment says so. */
export function createPromote({ fleet }: Pick<DeploymentsDeps, "fleet">, lifecycle: Lifecycle) {
  return async (tx: Tx, release: Release, served: string | undefined): Promise<void> => {
    if (release.pullRequest !== null) return;
    for (const { name, after, promotion } of await fleet.environments()) {
      if (promotion !== "automatic" || after !== served) continue;
      const wish: Wish = { kind: "deploy", service: release.service, environment: name };
      const store = deploymentStore(tx);
      const open = (await store.open()).some((each) => each.release_id === release.id && each.environment === name);
      if (open || (await store.hasServed(release.id, name))) continue;
      await lifecycle.create(tx, newFor(wish, release));
    }
  };
}
