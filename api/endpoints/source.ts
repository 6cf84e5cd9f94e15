import { z } from "zod";
import { anyRole, approving, developing, endpoints, leading, type Role } from "../endpoint.ts";
import { outcomes } from "../events.ts";
import { branchName, repositoryName, revision, uuid } from "../names.ts";

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

const commit = z.object({
  revision,
  author: z.string(),
  email: z.string(),
  message: z.string(),
  at: z.iso.datetime(),
  parents: z.array(revision),
});

const reason = z.object({ code: z.string(), message: z.string() });

export const pullRequest = z.object({
  repository: repositoryName,
  number: z.int().positive(),
  title: z.string(),
  body: z.string(),
  branch: branchName,
  target: branchName,
  author: z.string(),
  head: revision,
  state: z.enum(["open", "merged", "closed"]),
  approvals: z.array(
    z.object({
      user: z.string(),
      revision,
      at: z.iso.datetime(),
      counts: z.boolean().describe("False once the head has moved on."),
    }),
  ),
  check: z
    .object({ build: uuid, number: z.int().positive(), outcome: z.enum(outcomes) })
    .nullable()
    .describe("The newest finished build of the head."),
  checks: z
    .array(
      z.object({
        service: z.string(),
        outcome: z.enum(outcomes).nullable().describe("Null while its build goes on."),
        reason: z.string().nullable().describe("Why it passed without a build, or has none."),
        build: uuid,
        number: z.int().positive(),
      }),
    )
    .describe("One for each service, where the repository has several; all must pass."),
  waitsFor: z.array(reason).describe("Why it cannot be merged now; empty when it can."),
  mergeCommit: revision.nullable(),
  endedBy: z.string().nullable().describe("Who merged or closed it."),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});
export type PullRequest = z.output<typeof pullRequest>;

const changedFile = z.object({
  path: z.string(),
  added: z.int().nullable().describe("Lines; null for a binary file."),
  removed: z.int().nullable(),
});

const pullRequestDetail = pullRequest.extend({
  commits: z.array(commit).describe("Newest first, at most 250."),
  files: z.array(changedFile).describe("At most 1000."),
});

const byName = z.object({ repository: repositoryName });
const byNumber = byName.extend({ number: z.coerce.number().int().positive().max(1_000_000_000) });

/** Everybody who works on the code, and those who sign off. */
const reviewing: readonly Role[] = [...new Set([...developing, ...approving])];

export const sourceEndpoints = endpoints({
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
  openPullRequest: {
    method: "POST",
    path: "/api/repositories/:repository/pull-requests",
    summary: "Ask for a branch to be merged into the default branch.",
    auth: { roles: developing },
    params: byName,
    body: z.strictObject({
      branch: branchName,
      title: z.string().trim().min(1).max(200),
      body: z.string().max(20_000).default(""),
    }),
    response: pullRequest,
    errors: ["not-found", "git.bad-revision", "conflict"],
  },
  listPullRequests: {
    method: "GET",
    path: "/api/repositories/:repository/pull-requests",
    summary: "The pull requests of a repository, newest first, at most 100.",
    auth: { roles: anyRole },
    params: byName,
    query: z.object({ state: z.enum(["open", "merged", "closed"]).optional() }),
    response: z.object({ pullRequests: z.array(pullRequest) }),
    errors: ["not-found"],
  },
  showPullRequest: {
    method: "GET",
    path: "/api/repositories/:repository/pull-requests/:number",
    summary: "One pull request with its commits, changed files and what its merge waits for.",
    auth: { roles: anyRole },
    params: byNumber,
    response: pullRequestDetail,
    errors: ["not-found"],
  },
  approvePullRequest: {
    method: "POST",
    path: "/api/repositories/:repository/pull-requests/:number/approve",
    summary: "Approve the head revision; the approval falls when the head moves.",
    auth: { roles: reviewing },
    params: byNumber,
    body: z.strictObject({
      revision: revision.optional().describe("The head that you have read; refused when moved."),
    }),
    response: pullRequest,
    errors: ["not-found", "pull-request.own", "pull-request.closed", "conflict"],
  },
  mergePullRequest: {
    method: "POST",
    path: "/api/repositories/:repository/pull-requests/:number/merge",
    summary: "Merge into the default branch by a merge commit.",
    auth: { roles: developing },
    params: byNumber,
    response: pullRequest,
    errors: [
      "not-found",
      "pull-request.closed",
      "pull-request.not-approved",
      "pull-request.not-green",
      "pull-request.conflicts",
      "conflict",
    ],
  },
  closePullRequest: {
    method: "POST",
    path: "/api/repositories/:repository/pull-requests/:number/close",
    summary: "Close without merging; the branch stays.",
    auth: { roles: developing },
    params: byNumber,
    response: pullRequest,
    errors: ["not-found", "pull-request.closed"],
  },
});
