import type { BuildContext } from "#pipeline/build-context.ts";
import type { BuildRow } from "./rows.ts";

/** Branch whose builds publish and deploy. */
export const defaultBranch = "main";

type ContextColumns = Pick<
  BuildRow,
  | "id"
  | "number"
  | "branch"
  | "commit"
  | "source"
  | "tag"
  | "pull_request"
  | "env"
  | "creator"
  | "author"
  | "repository"
>;

/** What conditions and variables of a pipeline see of a build. `role`: of who started it. */
export function contextOf(build: ContextColumns, message: string, role?: string): BuildContext {
  const {
    id,
    number,
    branch,
    commit,
    source,
    tag,
    pull_request: pullRequest,
    env,
    creator,
    author,
    repository,
  } = build;
  return {
    build: {
      ...{ id, number, branch, commit, message, source, env },
      ...(tag === null ? {} : { tag }),
      ...(pullRequest === null ? {} : { pullRequest: { id: pullRequest, baseBranch: defaultBranch } }),
      ...(creator ? { creator } : {}),
      ...(role === undefined ? {} : { creatorRoles: [role] }),
      ...(author ? { author: { name: author } } : {}),
    },
    pipeline: { slug: repository, defaultBranch },
  };
}
