import type { Source } from "#source";

/** The n-th commit of a history without branches. */
export const commitNumber = (n: number): string => n.toString(16).padStart(40, "0");

const at = new Date("2026-01-05T11:00:00Z");

/** What releases and deployments ask of Git, in a history where each commit stands on the one with the lower number. */
export function linearGit(
  manifest: (repository: string, revision: string) => string,
  pullRequests: ReadonlyMap<string, number> = new Map(),
) {
  const numberOf = (revision: string) => Number.parseInt(revision, 16);
  const source: Pick<
    Source,
    "repository" | "readFile" | "isAncestor" | "commitsBetween" | "openPullRequest" | "isPullRequestOpen"
  > = {
    repository: async (name) => ({
      ...{ name, defaultBranch: "main", createdAt: at },
      ...{ allowDirectPush: false, requiredApprovals: 1, requireBuild: true },
    }),
    readFile: async (repository, revision) => manifest(repository, revision),
    isAncestor: async (_, older, newer) => numberOf(older) <= numberOf(newer),
    openPullRequest: async (_, branch) => pullRequests.get(branch),
    isPullRequestOpen: async (_, number) => [...pullRequests.values()].includes(number),
    commitsBetween: async (_, { older, newer, limit }) => {
      const first = older === undefined ? 1 : numberOf(older) + 1;
      const count = Math.max(0, Math.min(limit, numberOf(newer) - first + 1));
      const newest = numberOf(newer);
      return Array.from({ length: count }, (_each, index) => ({
        revision: commitNumber(newest - index),
        ...{ author: "Ada", email: "ada@example.com", message: `change ${newest - index}`, at, parents: [] },
      }));
    },
  };
  return source;
}
