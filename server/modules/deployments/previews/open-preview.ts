/** What a build of a pull request published goes to the environment of that pull request. */
import type { Tx } from "#kernel/database.ts";
import { urlVariable } from "#pipeline/manifest.ts";
import type { Release } from "#releases";
import type { DeploymentsDeps } from "../deps.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { newFor } from "../new-deployment.ts";
import { type DeploymentRow, deploymentStore, type Place } from "../store.ts";
import { placeOfNeed } from "./borrowing.ts";
import { previewStore } from "./preview-store.ts";

type Deps = Pick<DeploymentsDeps, "emit" | "clock" | "source" | "fleet" | "releases" | "routing">;

export type Previews = ReturnType<typeof createPreviews>;

export function createPreviews({ emit, clock, source, fleet, releases, routing }: Deps, lifecycle: Lifecycle) {
  const ask = async (tx: Tx, place: Place, release: Release) => {
    await deploymentStore(tx).lockLane(place);
    await lifecycle.create(tx, newFor({ kind: "deploy", ...place }, release));
  };

  /** Of a pull request that was closed meanwhile, nothing comes. */
  async function take(tx: Tx, release: Release): Promise<void> {
    const { service, number, repository, pullRequest } = release;
    if (pullRequest === null) return;
    const rules = await fleet.previews();
    const reason = rules ? "its pull request is open no more" : "the fleet has no environments/preview.yml any more";
    if (!rules || !(await source.isPullRequestOpen(repository, pullRequest))) {
      const nowhere = { environment: "preview", repository, pullRequest, reason, releases: [{ service, number }] };
      return emit(tx, `service:${service}`, "deployments.preview-ended", nowhere);
    }
    const created_at = clock.now();
    const expires_at = new Date(created_at.getTime() + rules.keep);
    const times = { created_at, expires_at };
    const { environment } = await previewStore(tx).keep({ repository, pull_request: pullRequest, ...times });
    await ask(tx, { service, environment }, release);
  }

  /** Of several services that a pull request brings, the first one there was told the address of the one that it borrows. */
  async function follow(tx: Tx, environment: string): Promise<void> {
    if (!(await fleet.environment(environment))?.preview) return;
    const store = deploymentStore(tx);
    const lanes = (await store.lanes()).filter((lane) => lane.environment === environment && !lane.running);
    for (const row of await store.many(lanes.flatMap(({ serving }) => serving ?? []))) {
      const release = row.release_id === null ? undefined : await releases.releaseById(row.release_id);
      const waits = (await store.waiting(row)).length > 0;
      if (release && !waits && (await isOutdated(tx, row, release))) await ask(tx, row, release);
    }
  }

  async function isOutdated(tx: Tx, { stack, environment: name }: DeploymentRow, release: Release): Promise<boolean> {
    const environment = await fleet.environment(name);
    if (!environment) return false;
    for (const service of release.manifest.needs) {
      const address = await routing.addressOf(await placeOfNeed(tx, environment, service));
      const given = stack?.variables[urlVariable(service)];
      if (address && given?.from === "value" && given.value !== address.internalUrl) return true;
    }
    return false;
  }

  return { take, follow };
}
