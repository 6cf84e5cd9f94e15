/** Removes images that nothing needs, of the host and of the registry, and holds on the host what is needed there. */
import type { KeepRule } from "#api/keep-releases.ts";
import { type HeldImage, RuntimeError } from "#drivers/runtime/contract.ts";
import { type Fate, hostFate, registryFate } from "../core/clean-plan.ts";
import type { DeploymentsDeps } from "../deps.ts";
import { deploymentStore, type PulledImage } from "../store.ts";

export interface Keep {
  /** Releases of each environment that can be gone back to without the registry. */
  served: number;
  /** Releases of each service whose images stay in the registry besides. */
  releases: readonly KeepRule[];
}

export const usualKeep: Keep = { served: 5, releases: [{ kind: "newest", count: 20 }] };

type Deps = Pick<
  DeploymentsDeps,
  "db" | "clock" | "runtime" | "registry" | "releases" | "emit" | "log" | "keep" | "disk"
>;

export interface Cleaned {
  /** What went. */
  removed: Fate[];
  /** Bytes that are free now and were not before; the registry gives its own back within a day. */
  freed: number;
}

/** One look at all images that deployments brought or may need; nothing is changed. */
export async function planCleaning({ db, clock, runtime, releases, keep = usualKeep }: Deps): Promise<Fate[]> {
  const store = deploymentStore(db);
  const needs = await store.needs(keep.served);
  const held = new Map((await runtime.heldImages()).map(({ image, bytes }) => [image, bytes]));
  const pulled = (await store.pulledImages()).map((row) => hostFate({ ...row, bytes: held.get(row.image) }, needs));
  const keeping = { rules: keep.releases, now: clock.now() };
  const kept = (await releases.kept()).map((row) => registryFate(row, needs, keeping));
  return [...pulled, ...kept];
}

export async function clean(deps: Deps): Promise<Cleaned> {
  const before = (await deps.disk?.free()) ?? 0;
  const removed = [...(await pruneHost(deps)), ...(await retireReleases(deps))];
  await holdNeeded(deps);
  const freed = Math.max(0, ((await deps.disk?.free()) ?? 0) - before);
  if (removed.length > 0) deps.log.info({ images: removed.length, freed }, "removed images that nothing needs");
  return { removed, freed };
}

/** Of one service, or of all. */
export async function pruneHost(deps: Deps, service?: string): Promise<Fate[]> {
  const { db, runtime, log, keep = usualKeep } = deps;
  const store = deploymentStore(db);
  const pulled = await store.pulledImages(service);
  const needs = await store.needs(keep.served);
  const removed: Fate[] = [];
  for (const row of pulled) {
    const fate = hostFate(row, needs);
    if (!fate.goes) continue;
    try {
      await runtime.removeImage(row.image);
      await store.deletePulledImage(row.image);
      removed.push(fate);
    } catch (error) {
      // The next look tries again.
      if (!(error instanceof RuntimeError)) throw error;
      log.info({ err: error, image: row.image }, "an old image stays on the host for now");
    }
  }
  return removed;
}

/** They stay to be looked at; who listens takes their images away. */
async function retireReleases({ db, clock, releases, emit, keep = usualKeep }: Deps): Promise<Fate[]> {
  const retired: Fate[] = [];
  const needs = await deploymentStore(db).needs(keep.served);
  const keeping = { rules: keep.releases, now: clock.now() };
  const going = (await releases.kept()).filter((row) => registryFate(row, needs, keeping).goes);
  for (const row of going)
    await db.transaction().execute(async (tx) => {
      // Somebody may have asked for it since.
      const fate = registryFate(row, await deploymentStore(tx).needs(keep.served), keeping);
      if (!fate.goes) return;
      const { id, service, release: number, digest, commit, image: repository } = row;
      const payload = { release: id, service, number, digest, commit, repository };
      await emit(tx, `service:${service}`, "deployments.release-retired", payload);
      retired.push(fate);
    });
  return retired;
}

/** Somebody may have removed the containers that hold images, and then the images. */
async function holdNeeded(deps: Deps): Promise<void> {
  const { db, runtime, keep = usualKeep } = deps;
  const store = deploymentStore(db);
  const needs = await store.needs(keep.served);
  const held = await runtime.heldImages();
  for (const row of await store.pulledImages()) if (needs.has(row.digest)) await holdAgain(deps, row, held);
}

async function holdAgain({ runtime, registry, log }: Deps, { image }: PulledImage, held: readonly HeldImage[]) {
  if (held.some((each) => each.image === image)) return;
  const auth = await registry.auth?.(image.replace(/^[^/]*\//, "").replace(/@.*$/, ""));
  await runtime.pull(image, auth ? { auth } : {}).catch((error: unknown) => {
    if (!(error instanceof RuntimeError)) throw error;
    log.warn({ err: error, image }, "an image that may be needed is not on the host");
  });
}
