import { z } from "zod";
import { anyRole, developing, endpoints, leading } from "../endpoint.ts";
import { branchName, repositoryName, revision } from "../names.ts";

const rules = {
  allowDirectPush: z.boolean().describe("Whether the default branch takes pushes without a pull request."),
  requiredApprovals: z.int().min(0).max(20).describe("Approvals of the head revision that a merge needs."),
  requireBuild: z.boolean().describe("Whether a merge needs a passed build of the head revision."),
};

export const repository = z.object({
  name: repositoryName,
  defaultBranch: branchName,
  ...rules,
  path: z.string().describe("Where Git finds it, below the server's address."),
  createdAt: z.iso.datetime(),
});

export const commit = z.object({
  revision,
  author: z.string(),
  email: z.string(),
  message: z.string(),
  at: z.iso.datetime(),
  parents: z.array(revision),
});

export const byName = z.object({ repository: repositoryName });

export const repositoryEndpoints = endpoints({
  listRepositories: {
    method: "GET",
    path: "/api/repositories",
    summary: "All repositories.",
    auth: { roles: anyRole },
    response: z.object({ repositories: z.array(repository) }),
  },
  createRepository: {
    method: "POST",
    path: "/api/repositories",
    summary: "Make an empty repository. Rules other than the usual ones need the role lead or admin.",
    auth: { roles: developing },
    body: z.strictObject({ name: repositoryName, ...z.object(rules).partial().shape }),
    response: repository,
    errors: ["conflict", "auth.forbidden"],
  },
  showRepository: {
    method: "GET",
    path: "/api/repositories/:repository",
    summary: "One repository.",
    auth: { roles: anyRole },
    params: byName,
    response: repository,
    errors: ["not-found"],
  },
  changeRepository: {
    method: "PATCH",
    path: "/api/repositories/:repository",
    summary: "Change the rules of a repository.",
    auth: { roles: leading },
    params: byName,
    body: z.strictObject(z.object(rules).partial().shape),
    response: repository,
    errors: ["not-found"],
  },
  listBranches: {
    method: "GET",
    path: "/api/repositories/:repository/branches",
    summary: "The branches of a repository and where they stand.",
    auth: { roles: anyRole },
    params: byName,
    response: z.object({ branches: z.array(z.object({ name: z.string(), revision })) }),
    errors: ["not-found"],
  },
  listCommits: {
    method: "GET",
    path: "/api/repositories/:repository/commits",
    summary: "The newest commits of a branch.",
    auth: { roles: anyRole },
    params: byName,
    query: z.object({
      branch: branchName.optional().describe("The default branch when absent."),
      limit: z.coerce.number().int().min(1).max(250).default(30),
    }),
    response: z.object({ commits: z.array(commit) }),
    errors: ["not-found", "git.bad-revision"],
  },
});
