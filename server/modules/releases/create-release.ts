/** A published image becomes a release: once for each build and service, however often this runs. */
import { eventCatalogue, type EventPayload } from "#api/events.ts";
import { newId } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Emit } from "#kernel/outbox.ts";
import { renderFault } from "#pipeline/fault.ts";
import { type Manifest, parseManifest } from "#pipeline/manifest.ts";
import { inFolder, manifestName } from "#pipeline/services.ts";
import type { Builds, Evidence } from "#builds";
import type { Fleet } from "#fleet";
import type { Source } from "#source";
import { imageRepository } from "./core/image-repository.ts";
import { type ReleaseCommit, releaseStore } from "./store.ts";

const mostCommits = 200;

export interface CreateReleaseDeps {
  db: Database;
  emit: Emit;
  source: Pick<Source, "repository" | "readFile" | "commitsBetween" | "openPullRequest">;
  fleet: Pick<Fleet, "previews">;
  builds: Pick<Builds, "evidence">;
}

type Published = EventPayload<"builds.image-published">;

export async function createRelease(deps: CreateReleaseDeps, payload: unknown): Promise<void> {
  const published = eventCatalogue["builds.image-published"].parse(payload);
  const refused = async (reason: string) =>
    void (await releaseStore(deps.db).insertRefusal({ ...keyOf(published), reason }));
  const pullRequest = await placeOf(deps, published);
  if (typeof pullRequest === "string") return refused(pullRequest);
  const manifest = await readManifest(deps, published);
  if (typeof manifest === "string") return refused(manifest);
  const evidence = await deps.builds.evidence(published.build);
  // Another release of the service may be made meanwhile; then the commits are counted again from that one.
  for (let written = false; !written;) {
    const previous = await releaseStore(deps.db).latest(published.service);
    const commits = await readCommits(deps, published, previous?.commit);
    const parts = { published, manifest, evidence, commits, previous: previous?.number ?? null, pullRequest };
    written = await deps.db.transaction().execute((tx) => write({ ...deps, tx }, parts));
  }
}

interface Parts {
  published: Published;
  manifest: Manifest;
  evidence: Evidence[];
  commits: ReleaseCommit[];
  previous: number | null;
  pullRequest: number | null;
}

/** Answers whether the release is there now; false when it would not follow on `previous` any more. */
async function write({ tx, emit }: { tx: Tx; emit: Emit }, parts: Parts): Promise<boolean> {
  const { build, service, repository, commit, digest, image } = parts.published;
  const store = releaseStore(tx);
  await store.lockNumbers(service);
  if (await store.byBuild(build, service)) return true;
  const { manifest, evidence, commits, previous, pullRequest } = parts;
  if (((await store.latest(service))?.number ?? null) !== previous) return false;
  const next = (await store.newestNumber(service)) + 1;
  const row = { id: newId(), service, number: next, repository, commit, digest, build, pull_request: pullRequest };
  await store.insert({ ...row, image: imageRepository(image), manifest, evidence, commits, previous });
  const { id: release, number } = row;
  await emit(tx, `service:${service}`, "releases.release-created", { release, service, number, digest, commit, build });
  return true;
}

/** Null for a release that may go everywhere; the pull request for whose environment alone it is; or why there is none. */
async function placeOf({ source, fleet }: CreateReleaseDeps, published: Published): Promise<number | null | string> {
  const { repository, branch } = published;
  const { defaultBranch } = (await source.repository(repository)) ?? {};
  if (branch === defaultBranch) return null;
  const pullRequest = (await fleet.previews()) && (await source.openPullRequest(repository, branch));
  return pullRequest ?? `only builds of ${defaultBranch} make releases, and this one is of ${branch}`;
}

/** The manifest, or why this image makes no release. */
async function readManifest({ source }: CreateReleaseDeps, published: Published): Promise<Manifest | string> {
  const { repository, commit, service, folder = "" } = published;
  const manifestFile = inFolder(folder, manifestName);
  const text = await source.readFile(repository, commit, manifestFile);
  if (text === undefined) return `${repository} has no ${manifestFile} at ${commit.slice(0, 10)}`;
  const { value, errors } = parseManifest(text, manifestFile);
  if (errors) return errors.slice(0, 3).map(renderFault).join("; ");
  if (value.service !== service) return `${manifestFile} names the service ${value.service}, not ${service}`;
  return value;
}

async function readCommits(
  { source }: CreateReleaseDeps,
  { repository, commit }: Published,
  since: string | undefined,
): Promise<ReleaseCommit[]> {
  const found = await source.commitsBetween(repository, { older: since, newer: commit, limit: mostCommits });
  return found.map(({ revision, author, message, at }) => ({
    revision,
    author,
    message: (message.split("\n")[0] ?? "").slice(0, 500),
    at: at.toISOString(),
  }));
}

function keyOf({ build, service }: Published) {
  return { build, service };
}
