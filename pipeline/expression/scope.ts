import type { BuildContext } from "../build-context.ts";

/** `anyOf`: one fact under several words, equal to each of them. */
export type ScopeValue = string | number | boolean | null | readonly string[] | { anyOf: readonly string[] };

/** The names that a condition may use. */
export const scopeNames = [
  "build.author.email",
  "build.author.id",
  "build.author.name",
  "build.author.teams",
  "build.branch",
  "build.commit",
  "build.creator.email",
  "build.creator.id",
  "build.creator.name",
  "build.creator.teams",
  "build.id",
  "build.message",
  "build.number",
  "build.pull_request.base_branch",
  "build.pull_request.draft",
  "build.pull_request.id",
  "build.pull_request.labels",
  "build.pull_request.repository",
  "build.pull_request.repository.fork",
  "build.source",
  "build.tag",
  "organization.id",
  "organization.slug",
  "pipeline.default_branch",
  "pipeline.id",
  "pipeline.name",
  "pipeline.repository",
  "pipeline.slug",
] as const;

/** What conditions of notifications may name beside these. */
export const notificationNames = [
  "build.state",
  "step.id",
  "step.key",
  "step.label",
  "step.type",
  "step.state",
  "step.outcome",
] as const;

type ScopeName = (typeof scopeNames)[number] | (typeof notificationNames)[number];

export interface Scope {
  /** A name that is not there is null. */
  values: Partial<Record<ScopeName, ScopeValue>>;
  /** What `build.env("NAME")` sees. */
  env: Record<string, string>;
}

/** What conditions see of a build; unset parts are null. */
export function scopeOf({ build, pipeline }: BuildContext, env: Record<string, string>): Scope {
  return {
    values: {
      "build.id": build.id ?? null,
      "build.branch": build.branch,
      "build.commit": build.commit,
      "build.message": build.message,
      "build.number": build.number,
      "build.source": { anyOf: [build.source, buildkiteSources[build.source]] },
      "build.tag": build.tag ?? null,
      ...peopleOf(build),
      ...pullRequestOf(build),
      "organization.id": organization,
      "organization.slug": organization,
      "pipeline.default_branch": pipeline.defaultBranch,
      "pipeline.id": pipeline.slug,
      "pipeline.name": pipeline.slug,
      "pipeline.repository": pipeline.slug,
      "pipeline.slug": pipeline.slug,
    },
    env,
  };
}

/** One installation is one organization. */
const organization = "towline";

/** Buildkite's word for what started a build. */
export const buildkiteSources: Record<BuildContext["build"]["source"], string> = {
  push: "webhook",
  "pull-request": "webhook",
  webhook: "webhook",
  api: "api",
  schedule: "schedule",
  trigger: "trigger_job",
  contract: "trigger_job",
};

function peopleOf({ creator, creatorRoles, author }: BuildContext["build"]): Scope["values"] {
  return {
    "build.author.email": author?.email ?? null,
    "build.author.id": author?.email ?? null,
    "build.author.name": author?.name ?? null,
    "build.author.teams": [],
    "build.creator.email": null,
    "build.creator.id": creator ?? null,
    "build.creator.name": creator ?? null,
    "build.creator.teams": creatorRoles ?? [],
  };
}

/** Pull requests come from branches of the same repository; there are no forks. */
function pullRequestOf({ pullRequest }: BuildContext["build"]): Scope["values"] {
  return {
    "build.pull_request.base_branch": pullRequest?.baseBranch ?? null,
    "build.pull_request.draft": pullRequest ? (pullRequest.draft ?? false) : null,
    "build.pull_request.id": pullRequest?.id ?? null,
    "build.pull_request.labels": pullRequest?.labels ?? [],
    "build.pull_request.repository": null,
    "build.pull_request.repository.fork": pullRequest ? false : null,
  };
}
