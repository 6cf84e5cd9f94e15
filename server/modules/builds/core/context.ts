import type { BuildContext } from "#pipeline/build-context.ts";
import type { BuildRow } from "./rows.ts";

/** Branch whose builds publish and deploy. */
export const defaultBranch = "main";

/** What conditions and variables of a pipeline see of a build. */
export function contextOf(
  build: Pick<BuildRow, "number" | "branch" | "commit" | "source" | "creator" | "repository">,
  message: string,
): BuildContext {
  const { number, branch, commit, source, creator, repository } = build;
  return {
    build: { number, branch, commit, message, source, env: {}, ...(creator ? { creator } : {}) },
    pipeline: { slug: repository, defaultBranch },
  };
}
