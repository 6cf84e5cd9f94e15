import type { BuildContext } from "../build-context.ts";

export type ScopeValue = string | number | boolean | null;

/** The names that a condition may use. */
export const scopeNames = [
  "build.branch",
  "build.commit",
  "build.message",
  "build.number",
  "build.source",
  "build.tag",
  "build.creator.name",
  "build.pull_request.id",
  "build.pull_request.base_branch",
  "pipeline.default_branch",
  "pipeline.slug",
] as const;

export interface Scope {
  values: Record<(typeof scopeNames)[number], ScopeValue>;
  /** What `build.env("NAME")` sees. */
  env: Record<string, string>;
}

/** What conditions see of a build; unset parts are null. */
export function scopeOf({ build, pipeline }: BuildContext, env: Record<string, string>): Scope {
  return {
    values: {
      "build.branch": build.branch,
      "build.commit": build.commit,
      "build.message": build.message,
      "build.number": build.number,
      "build.source": build.source,
      "build.tag": build.tag ?? null,
      "build.creator.name": build.creator ?? null,
      "build.pull_request.id": build.pullRequest?.id ?? null,
      "build.pull_request.base_branch": build.pullRequest?.baseBranch ?? null,
      "pipeline.default_branch": pipeline.defaultBranch,
      "pipeline.slug": pipeline.slug,
    },
    env,
  };
}
