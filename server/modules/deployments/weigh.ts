/** A wish, the release it means, and what every gate says to it. */
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import type { Release } from "#releases";
import type { Gate } from "./core/gates.ts";
import { orderGate, supersededBy, turnGate } from "./core/lane.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { readGates } from "./gate-facts.ts";
import { judgeLane, orderIn, readLane } from "./lanes.ts";
import { strangerThere } from "./previews/belongs.ts";
import { deploymentStore, type Place } from "./store.ts";

export interface Wish extends Place {
  kind: "deploy" | "rollback";
  /** Number; absent: the newest, or for a rollback the one before. */
  release?: number | undefined;
  /** Lets it pass a freeze. */
  override?: { freeze: string; reason: string } | undefined;
  /** The asker's own name for this wish, under which it is granted once. */
  request?: string | undefined;
}

export interface Weighed {
  environment: EnvironmentFile;
  release: Release;
  gates: Gate[];
}

export type Weigh = (wish: Wish) => Promise<Weighed | Refusal>;

export function createWeigh(
  deps: Pick<DeploymentsDeps, "db" | "clock" | "source" | "fleet" | "releases" | "attestations" | "contracts" | "disk">,
): Weigh {
  const { db, source, fleet, releases } = deps;

  async function gatesFor(wish: Wish, environment: EnvironmentFile, release: Release): Promise<Gate[]> {
    const { kind } = wish;
    const place = { service: release.service, environment: environment.name };
    const view = await judgeLane(deps, await readLane(deploymentStore(db), place), environment);
    const { id: release_id, number, digest, commit } = release;
    const overrides = wish.override ? [{ ...wish.override, by: "", at: "" }] : [];
    const row = { ...place, kind, release_id, release: number, commit, digest, overrides };
    const [gates = []] = await readGates(deps, environment, [row]);
    const closed = gates.filter(({ open }) => !open);
    const isOlder = await orderIn(source, view, [release]);
    const superseded = supersededBy({ kind, commit, closed }, view.lane, isOlder);
    return [...gates, orderGate(kind, superseded), turnGate(view.running?.release ?? undefined)];
  }

  async function weigh(wish: Wish): Promise<Weighed | Refusal> {
    const environment = await fleet.environment(wish.environment);
    if (!environment) return refuse("not-found", `there is no environment ${wish.environment}`);
    const release = await (wish.kind === "rollback" ? findOlder(wish) : findRelease(wish));
    if (isRefusal(release)) return release;
    const stranger = await strangerThere(db, environment, release);
    if (stranger) return stranger;
    if (release.retiredAt) return retired(release);
    return { environment, release, gates: await gatesFor(wish, environment, release) };
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

function retired({ service, number, commit }: Release): Refusal {
  return refuse("release.retired", `the image of release ${number} of ${service} is no longer kept`, {
    fix: `Build ${commit.slice(0, 12)} again, which makes a new release. TOWLINE_KEEP_RELEASES says which are kept.`,
  });
}
