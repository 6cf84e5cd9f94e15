/** What `if_changed` compares a build with. */
import type { Database } from "#kernel/database.ts";
import type { Log } from "#kernel/log.ts";
import type { Source } from "#source";
import { defaultBranch } from "./core/context.ts";
import type { BuildRow } from "./core/rows.ts";
import { buildsStore } from "./store.ts";
import { triggerStore } from "./triggers/trigger-store.ts";

interface Deps {
  db: Database;
  log: Log;
  source: Pick<Source, "changedPaths">;
}

/**
 * Paths that differ from what serves in the first environment of the pipeline; of a pipeline that deploys nothing, from the
 * newest build of the branch that passed. Another branch is compared with where it left the default branch. Undefined where
 * there is nothing to compare with: then every step runs.
 */
export async function changedFiles(deps: Deps, build: BuildRow, environments: string[]): Promise<string[] | undefined> {
  const { repository, commit } = build;
  const base = await baseOf(deps.db, build, environments);
  if (base === undefined) return undefined;
  return deps.source.changedPaths(repository, base, commit).catch((error: unknown) => {
    deps.log.warn({ err: error, repository, base, commit }, "what a build changes could not be found out");
    return undefined;
  });
}

async function baseOf(db: Database, build: BuildRow, [environment]: string[]): Promise<string | undefined> {
  const { repository, branch, tag } = build;
  if (tag !== null) return undefined;
  if (branch !== defaultBranch) return `refs/heads/${defaultBranch}`;
  if (environment !== undefined) return triggerStore(db).deployedCommit(repository, environment);
  return buildsStore(db).passedCommit(build);
}
