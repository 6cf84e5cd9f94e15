/** Which commit a build is of. */
import { refuse, type Refusal } from "#api/errors.ts";
import type { Source } from "#source";
import { defaultBranch } from "./core/context.ts";

export interface Wanted {
  repository: string;
  branch?: string | undefined;
  commit?: string | undefined;
}

export type Target = { repository: string; branch: string; commit: string };

/** The newest commit of the branch, or the given one, which the branch must contain. */
export async function resolveTarget(
  source: Pick<Source, "repository" | "resolve" | "isAncestor">,
  { repository, branch = defaultBranch, commit }: Wanted,
): Promise<Target | Refusal> {
  if (!(await source.repository(repository))) return refuse("not-found", `there is no repository ${repository}`);
  const head = await source.resolve(repository, `refs/heads/${branch}`);
  if (!head) return refuse("not-found", `${repository} has no branch ${branch}`);
  if (commit && !(await source.isAncestor(repository, commit, head)))
    return refuse("git.bad-revision", `the branch ${branch} does not contain ${commit}`);
  return { repository, branch, commit: commit ?? head };
}
