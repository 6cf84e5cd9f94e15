import { refuse, type Refusal } from "#api/errors.ts";
import type { Evidence } from "#builds";
import type { Database } from "#kernel/database.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import type { Emit, Reaction } from "#kernel/outbox.ts";
import type { Manifest } from "#pipeline/manifest.ts";
import { createRelease, type CreateReleaseDeps } from "./create-release.ts";
import { createTask, releaseReactions } from "./reactions.ts";
import { releaseRoutes } from "./routes.ts";
import { type KeptRelease, type ReleaseCommit, type ReleaseRow, releaseStore } from "./store.ts";

/** Immutable: what was built of one commit of one service, and what that proved. */
export interface Release {
  id: string;
  service: string;
  number: number;
  repository: string;
  commit: string;
  digest: string;
  /** Path in the registry, without host, tag and digest. */
  image: string;
  build: string;
  manifest: Manifest;
  evidence: Evidence[];
  /** Since the release before, newest first. */
  commits: ReleaseCommit[];
  previous: number | null;
  /** Of a pull request, for whose environment alone it is; null for every other release. */
  pullRequest: number | null;
  createdAt: Date;
  /** Since when its image is not kept any more, so that it cannot be deployed. */
  retiredAt: Date | null;
}

export interface ReleasesDeps extends CreateReleaseDeps {
  db: Database;
  emit: Emit;
  jobs: Jobs;
}

export interface Releases {
  release(service: string, number: number): Promise<Release | undefined>;
  releaseById(id: string): Promise<Release | undefined>;
  /**
   * What became of the image that a build published: its release, why there is none, or undefined while the image is not
   * published or the release is being made.
   */
  byBuild(build: string, service: string): Promise<Release | Refusal | undefined>;
  /** The newest that is of no pull request. */
  latest(service: string): Promise<Release | undefined>;
  /** Releases whose images are kept, the newest of each service first. */
  kept(): Promise<KeptRelease[]>;
  handlers: ReturnType<typeof releaseRoutes>;
  reactions: Reaction[];
  tasks: Record<string, Task>;
}

export function createReleases(deps: ReleasesDeps): Releases {
  const { db, jobs } = deps;
  const store = releaseStore(db);
  return {
    release: async (service, number) => view(await store.byNumber(service, number)),
    releaseById: async (id) => view(await store.byId(id)),
    async byBuild(build, service) {
      const made = view(await store.byBuild(build, service));
      if (made) return made;
      const refused = await store.refusal(build, service);
      return refused && refuse("release.none", refused.reason);
    },
    latest: async (service) => view(await store.latest(service)),
    kept: store.kept,
    handlers: releaseRoutes(store),
    reactions: releaseReactions(jobs),
    tasks: { [createTask]: (payload) => createRelease(deps, payload) },
  };
}

function view(row: ReleaseRow | undefined): Release | undefined {
  if (!row) return undefined;
  const { created_at, retired_at, pull_request: pullRequest, ...rest } = row;
  return { ...rest, pullRequest, createdAt: created_at, retiredAt: retired_at };
}
