/** What an event is about, in plain words: by these people look for what happened. */
export const activityKinds = [
  "deployments",
  "approvals and locks",
  "running services",
  "builds and tests",
  "code and pull requests",
  "releases and images",
  "contracts",
  "rules and secrets",
  "people and tokens",
  "steps in between",
] as const;

export type ActivityKind = (typeof activityKinds)[number];
