/** What `if_changed` compares a build with. */
import type { Database } from "#kernel/database.ts";
import type { Log } from "#kernel/log.ts";
import { comparingFuel, concerns, type RepositoryService, seenFrom } from "#pipeline/services.ts";
import type { Source } from "#source";
import { defaultBranch } from "./core/context.ts";
import type { BuildRow } from "./core/rows.ts";
import { buildsStore } from "./store.ts";
import { triggerStore } from "./triggers/trigger-store.ts";

interface ComparingDeps {
  db: Database;
  log: Log;
  source: Pick<Source, "changedPaths">;
}

interface Deps extends ComparingDeps {
  source: Pick<Source, "changedPaths" | "isAncestor">;
}

/**
 * Paths that differ from what serves in the first environment of the pipeline; of a pipeline that deploys nothing, from the
 * newest build of the branch that passed. Another branch is compared with where it left the default branch. Undefined where
 * there is nothing to compare with: then every step runs.
 */
export async function changedFiles(
  deps: ComparingDeps,
  build: BuildRow,
  serving: Serving,
): Promise<string[] | undefined> {
  const base = await baseOf(deps.db, build, serving);
  const changed = base === undefined ? undefined : await changedSince(deps, build, base);
  return changed && seenFrom(build.folder, changed);
}

/** Where what the pipeline makes serves. */
interface Serving {
  service: string;
  environments: string[];
}

/** Undefined where that cannot be told. */
async function changedSince(
  { source, log }: ComparingDeps,
  { repository, commit }: BuildRow,
  base: string,
): Promise<string[] | undefined> {
  return source.changedPaths(repository, base, commit).catch((error: unknown) => {
    log.warn({ err: error, repository, base, commit }, "what a build changes could not be found out");
    return undefined;
  });
}

async function baseOf(db: Database, build: BuildRow, serving: Serving): Promise<string | undefined> {
  const { repository, branch, tag } = build;
  const { service, environments } = serving;
  const [environment] = environments;
  if (tag !== null) return undefined;
  if (branch !== defaultBranch) return `refs/heads/${defaultBranch}`;
  if (environment !== undefined) return triggerStore(db).deployedCommit({ repository, service, environment });
  return buildsStore(db).passedCommit(build);
}

/**
 * Those of the services of a repository that a push gives nothing to build. Of the default branch each is compared with its own
 * newest build that is good, or may yet become so: what failed is built with the next push, whatever that changes. Other branches
 * are compared with where they left the default branch. Where that cannot be told, and where somebody asked for a build, all are built.
 */
export async function unchangedServices(
  deps: Deps,
  build: BuildRow,
  services: readonly RepositoryService[],
): Promise<ReadonlySet<string>> {
  const isPush = build.source === "push" || build.source === "pull-request";
  if (!isPush || build.tag !== null) return new Set();
  const bases = await basesOf(deps, build, services);
  const changed = new Map<string, string[] | undefined>();
  for (const base of new Set(bases.values())) changed.set(base, await changedSince(deps, build, base));
  const fuel = comparingFuel();
  const unchanged = services.filter((service) => {
    const base = bases.get(service.folder);
    const paths = base === undefined ? undefined : changed.get(base);
    return paths !== undefined && !concerns(service, paths, fuel);
  });
  return new Set(unchanged.map(({ folder }) => folder));
}

/** What each folder is compared with. */
async function basesOf(
  { db, source }: Deps,
  build: BuildRow,
  services: readonly RepositoryService[],
): Promise<Map<string, string>> {
  const folders = services.map(({ folder }) => folder);
  const { repository, branch, commit } = build;
  if (branch !== defaultBranch) return new Map(folders.map((folder) => [folder, `refs/heads/${defaultBranch}`]));
  const good = await buildsStore(db).goodCommits(build, folders);
  const inside = new Map<string, boolean>();
  for (const { commit: base } of good)
    if (!inside.has(base)) inside.set(base, await source.isAncestor(repository, base, commit));
  return new Map(good.filter((each) => inside.get(each.commit)).map((each) => [each.folder, each.commit]));
}
