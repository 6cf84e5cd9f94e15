import type { BuildContext } from "./build-context.ts";
import { buildkiteSources } from "./expression/scope.ts";

/** Variables of every job of a build, under our names and Buildkite's. They win over those of the pipeline file. */
export function buildVariables({ build, pipeline }: BuildContext): Record<string, string> {
  const facts: Record<string, string> = {
    BRANCH: build.branch,
    BUILD_NUMBER: String(build.number),
    COMMIT: build.commit,
    MESSAGE: build.message,
    PIPELINE_DEFAULT_BRANCH: pipeline.defaultBranch,
    PIPELINE_SLUG: pipeline.slug,
    PULL_REQUEST: build.pullRequest ? String(build.pullRequest.id) : "false",
    PULL_REQUEST_BASE_BRANCH: build.pullRequest?.baseBranch ?? "",
    TAG: build.tag ?? "",
    BUILD_CREATOR: build.creator ?? "",
  };
  const named = Object.entries(facts).flatMap(([name, value]) => [
    [`TOWLINE_${name}`, value],
    [`BUILDKITE_${name}`, value],
  ]);
  const sources = { TOWLINE_SOURCE: build.source, BUILDKITE_SOURCE: buildkiteSources[build.source] };
  return { CI: "true", TOWLINE: "true", BUILDKITE: "true", ...Object.fromEntries(named), ...sources };
}
