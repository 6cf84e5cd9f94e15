import type { BuildContext } from "#pipeline/build-context.ts";
import type { BuildRow } from "./rows.ts";

/** Branch whose builds publish and deploy. */
export const defaultBranch = "main";

type ContextColumns = Pick<
  BuildRow,
  "number" | "branch" | "commit" | "source" | "tag" | "pull_request" | "env" | "creator" | "repository"
>;

/** What conditions and variables of a pipeline see of a build. */
export function contextOf(build: ContextColumns, message: string): BuildContext {
  const { number, branch, commit, source, tag, pull_request: id, env, creator, repository } = build;
  return {
    build: {
      ...{ number, branch, commit, message, source, env },
      ...(tag === null ? {} : { tag }),
      ...(id === null ? {} : { pullRequest: { id, baseBranch: defaultBranch } }),
      ...(creator ? { creator } : {}),
    },
    pipeline: { slug: repository, defaultBranch },
  };
}
