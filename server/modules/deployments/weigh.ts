/** A wish, the release it means, and what every gate says to it. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import type { Release } from "#releases";
import { type Gate, gatesOf } from "./core/gates.ts";
import { supersededBy } from "./core/lane.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { orderIn, readLane } from "./lanes.ts";
import { deploymentStore, type Place } from "./store.ts";

export interface Wish extends Place {
  kind: "deploy" | "rollback";
  /** Number; absent: the newest, or for a rollback the one before. */
  release?: number | undefined;
}

export interface Weighed {
  environment: EnvironmentFile;
  release: Release;
  gates: Gate[];
}

export type Weigh = (wish: Wish) => Promise<Weighed | Refusal>;

export function createWeigh({
  db,
  source,
  fleet,
  releases,
}: Pick<DeploymentsDeps, "db" | "source" | "fleet" | "releases">): Weigh {
  async function gatesFor(kind: Wish["kind"], environment: EnvironmentFile, release: Release): Promise<Gate[]> {
    const store = deploymentStore(db);
    const place = { service: release.service, environment: environment.name };
    const view = await readLane(store, place);
    const isOlder = await orderIn(source, view, [release]);
    return gatesOf({
      kind,
      environment: environment.name,
      release: release.number,
      after: environment.after,
      servedAfter: environment.after !== undefined && (await store.hasServed(release.id, environment.after)),
      superseded: supersededBy({ kind, commit: release.commit }, view.lane, isOlder),
      running: view.running?.release ?? undefined,
    });
  }

  async function weigh(wish: Wish): Promise<Weighed | Refusal> {
    const environment = await fleet.environment(wish.environment);
    if (!environment) return refuse("not-found", `there is no environment ${wish.environment}`);
    const release = await (wish.kind === "rollback" ? findOlder(wish) : findRelease(wish));
    if (isRefusal(release)) return release;
    return { environment, release, gates: await gatesFor(wish.kind, environment, release) };
  }

  async function findRelease({ service, release: number }: Wish): Promise<Release | Refusal> {
    const found = await (number === undefined ? releases.latest(service) : releases.release(service, number));
    if (found) return found;
    return number === undefined
      ? refuse("release.none", `${service} has no release yet`, { fix: "Push to its default branch." })
      : refuse("release.none", `${service} has no release ${number}`, {
          fix: `Run \`towline release list ${service}\`.`,
        });
  }

  async function findOlder(wish: Wish): Promise<Release | Refusal> {
    const store = deploymentStore(db);
    const { serving } = await readLane(store, wish);
    const number = wish.release ?? (await store.servedBefore(wish, serving?.release ?? 0))?.release ?? undefined;
    if (number === undefined)
      return refuse("release.none", `no other release of ${wish.service} has served in ${wish.environment}`);
    const release = await findRelease({ ...wish, release: number });
    if (isRefusal(release) || (await store.hasServed(release.id, wish.environment))) return release;
    return refuse("release.none", `release ${number} of ${wish.service} never served in ${wish.environment}`, {
      fix: `Run \`towline deploy ${wish.service} ${wish.environment} --release ${number}\`.`,
    });
  }

  return weigh;
}
