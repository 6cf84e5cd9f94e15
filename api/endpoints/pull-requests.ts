import { z } from "zod";
import { anyRole, approving, developing, endpoints, type Role } from "../endpoint.ts";
import { outcomes } from "../events.ts";
import { branchName, repositoryName, revision, userName, uuid } from "../names.ts";
import { byName, commit } from "./repositories.ts";

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
  changesRequested: z
    .array(z.object({ user: z.string(), revision, at: z.iso.datetime() }))
    .describe("Who asks for changes, and at which head; it stands until they approve, or it is withdrawn."),
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
  base: revision.nullable().describe("What the head is compared with; null where both sides share no commit."),
  mayNotReview: reason.nullable().describe("Why you cannot review it, whatever your role; null when you can."),
});

const place = z.object({
  path: z.string().min(1).max(1000),
  side: z.enum(["old", "new"]).describe("Of the diff: as it was, or as it becomes."),
  line: z.int().positive().max(10_000_000),
  revision: revision.describe("The commit whose file has that line: the base for the old side, the head for the new."),
});

export const comment = z.object({
  id: uuid,
  author: z.string(),
  body: z.string(),
  at: z.iso.datetime(),
  place: place
    .extend({
      text: z.string().describe("The line as it was, cut to 500 characters."),
      now: z.int().nullable().describe("Where the line stands now; null once it has changed or is gone."),
    })
    .nullable()
    .describe("Null for a word on the whole."),
});
export type Comment = z.output<typeof comment>;

const words = z.string().trim().min(1).max(20_000);
const verdict = z.strictObject({
  revision: revision.optional().describe("The head that you have read; refused when moved."),
  comment: words.optional().describe("Kept as a comment with it."),
});

const byNumber = byName.extend({ number: z.coerce.number().int().positive().max(1_000_000_000) });

/** Everybody who works on the code, and those who sign off. */
const reviewing: readonly Role[] = [...new Set([...developing, ...approving])];

export const pullRequestEndpoints = endpoints({
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
    path: "/api/pull-requests",
    summary: "Pull requests, newest first.",
    auth: { roles: anyRole },
    query: z.object({
      repository: repositoryName.optional(),
      state: z.enum(["open", "merged", "closed"]).optional(),
      of: z
        .enum(["author", "reviewer"])
        .optional()
        .describe("Those that you opened, or the open ones on whose head your word is missing."),
      limit: z.coerce.number().int().min(1).max(200).default(100),
    }),
    response: z.object({
      pullRequests: z.array(pullRequest),
      more: z.boolean().describe("Whether the limit left some out."),
    }),
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
    body: verdict,
    response: pullRequest,
    errors: ["not-found", "pull-request.own", "pull-request.closed", "conflict", "limit.reached"],
  },
  requestChanges: {
    method: "POST",
    path: "/api/repositories/:repository/pull-requests/:number/request-changes",
    summary: "Ask for changes: nothing is merged until you approve, or it is withdrawn.",
    auth: { roles: reviewing },
    params: byNumber,
    body: verdict,
    response: pullRequest,
    errors: ["not-found", "pull-request.own", "pull-request.closed", "conflict", "limit.reached"],
  },
  withdrawRequest: {
    method: "DELETE",
    path: "/api/repositories/:repository/pull-requests/:number/change-requests/:user",
    summary: "Withdraw your request for changes, or as lead or admin somebody else's.",
    auth: { roles: reviewing },
    params: byNumber.extend({ user: userName }),
    response: pullRequest,
    errors: ["not-found", "auth.forbidden", "pull-request.closed"],
  },
  listComments: {
    method: "GET",
    path: "/api/repositories/:repository/pull-requests/:number/comments",
    summary: "What was said about a pull request, oldest first.",
    auth: { roles: anyRole },
    params: byNumber,
    response: z.object({ comments: z.array(comment) }),
    errors: ["not-found"],
  },
  addComment: {
    method: "POST",
    path: "/api/repositories/:repository/pull-requests/:number/comments",
    summary: "Say something about the whole, or about a line; at most 500 a pull request.",
    auth: { roles: reviewing },
    params: byNumber,
    body: z.strictObject({ body: words, place: place.strict().optional() }),
    response: comment,
    errors: ["not-found", "pull-request.closed", "pull-request.no-line", "git.file-too-large", "limit.reached"],
  },
  removeComment: {
    method: "DELETE",
    path: "/api/repositories/:repository/pull-requests/:number/comments/:comment",
    summary: "Remove a comment of your own, or as admin of anybody.",
    auth: { roles: reviewing },
    params: byNumber.extend({ comment: uuid }),
    response: z.object({ removed: z.literal(true) }),
    errors: ["not-found", "auth.forbidden"],
  },
  showDiff: {
    method: "GET",
    path: "/api/repositories/:repository/diff",
    summary: "What one file has otherwise between two commits.",
    auth: { roles: anyRole },
    params: byName,
    query: z.object({
      from: revision,
      to: revision,
      path: z.string().min(1).max(1000),
      context: z.coerce.number().int().min(0).max(100_000).default(3).describe("Unchanged lines around each change."),
    }),
    response: z.object({
      kind: z.enum(["text", "binary", "too-large", "same"]),
      patch: z.string().nullable().describe("In the unified format, for text alone; at most 1 MiB."),
    }),
    errors: ["not-found", "git.bad-revision"],
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
      "pull-request.changes-requested",
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
