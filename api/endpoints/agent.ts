/** What agents say to the server. Every call about a job carries the fencing token of its lease; a stale one is refused `lease.stale`. */
import { z } from "zod";
import { endpoints, rawBytes } from "../endpoint.ts";
import { testReport } from "./tests.ts";
import { branchName, digest, repositoryName, revision, serviceName, uuid } from "../names.ts";

const leaseToken = z.string().min(20).max(100).describe("Fencing token of this lease.");
const job = z.object({ id: uuid });
const agentName = z.string().min(1).max(100).describe("Name of the agent, unique among the running ones.");
const agentInstance = z
  .string()
  .min(1)
  .max(100)
  .describe("Fresh at every start of the agent: with a new one, jobs of the earlier start are lost at once.");

/** As the pipeline file has it; see `pipeline/plugin-source.ts`. */
const plugin = z.object({ source: z.string(), config: z.json() });
export type Plugin = z.output<typeof plugin>;

/** How the job is to be done. Paths are relative to the checkout. */
const work = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("command"),
    commands: z.array(z.string()),
    image: z.string().optional(),
    plugins: z.array(plugin).optional(),
  }),
  z.object({ kind: z.literal("test"), compose: z.string(), run: z.string() }),
  z.object({
    kind: z.literal("publish"),
    service: serviceName,
    context: z.string(),
    dockerfile: z.string(),
    args: z.record(z.string(), z.string()),
  }),
]);
export type Work = z.output<typeof work>;

/** What the work keeps for later builds. Keys may have `{{ checksum "file" }}` in them, which the agent fills in. */
const cache = z.object({
  paths: z.array(z.string()),
  key: z.string(),
  restoreKeys: z.array(z.string()),
  /** Bytes. */
  size: z.int().positive().optional(),
});
export type Cache = z.output<typeof cache>;

export const assignment = z.object({
  job: uuid,
  attempt: z.int().positive(),
  token: leaseToken,
  /** The lease ends this long after the last renewal; renew at a third of it. */
  leaseMs: z.int().positive(),
  timeoutMs: z.int().positive(),
  label: z.string(),
  /** Of the checkout, where commands begin; without it the checkout itself. */
  folder: z.string().optional(),
  work,
  cache: cache.optional(),
  /** Patterns of the JUnit XML files that the work leaves in its workspace. */
  junit: z.array(z.string()).max(20).optional(),
  /** Glob of pacts that the work leaves, and the folder in which it finds those that it verifies. */
  pacts: z.object({ publish: z.string().optional(), verify: z.string().optional() }).optional(),
  /** Globs of files to keep at the end, whatever the outcome. */
  artifactPaths: z.array(z.string()).optional(),
  build: z.object({
    id: uuid,
    number: z.int().positive(),
    repository: repositoryName,
    branch: branchName,
    commit: revision,
    message: z.string(),
  }),
  /** Variables of the job, in clear. */
  env: z.record(z.string(), z.string()),
  /** Also variables; their values are masked in the log. */
  secrets: z.record(z.string(), z.string()),
  /** Git over HTTP and the image registry at the server's address; the token is the password of both. */
  credentials: z.object({ user: z.string(), password: z.string() }),
});
export type Assignment = z.output<typeof assignment>;

export const jobResult = z.object({
  outcome: z.enum(["passed", "failed", "canceled", "timed-out"]),
  /** Absent when no command came to its end: it never ran, or what was to run it broke. */
  exitStatus: z.int().optional(),
  /** One sentence where the exit status alone does not tell why. */
  reason: z.string().max(2000).optional(),
  /** Image of the container that ran, and what that name stood for then. */
  ran: z
    .object({ image: z.string().min(1).max(500), id: z.string().regex(/^sha256:[0-9a-f]{64}$/, "the id of an image") })
    .optional(),
  /** The image that a `publish` pushed. */
  image: z.object({ reference: z.string(), digest }).optional(),
});
export type JobResult = z.output<typeof jobResult>;

/** Bytes of one part of a log. */
export const logPartLimit = 1024 * 1024;
/** Times that one part may carry. */
export const logTimesLimit = 128;

const logTimes = z
  .string()
  .max(logTimesLimit * 24)
  .regex(/^\d{1,8}:\d{1,14}(,\d{1,8}:\d{1,14})*$/, "byte:milliseconds, separated by commas")
  .describe(
    "When the bytes came: pairs of a byte of the part and a time, in order, from its first byte on; the first time since 1970, the others since the one before.",
  );

export const agentEndpoints = endpoints({
  leaseJob: {
    method: "POST",
    path: "/api/agent/lease",
    summary: "Wait up to `waitMs` for a job and lease it. Asking again with the same token gives the same lease.",
    auth: { agent: true },
    body: z.strictObject({
      agent: agentName,
      instance: agentInstance.optional(),
      token: leaseToken.describe(
        "Made by the agent for its next lease, and kept until the answer has come: an answer that a broken connection lost is given again.",
      ),
      tags: z.record(z.string(), z.string()).default({}),
      holds: z
        .array(leaseToken)
        .max(1_000)
        .default([])
        .describe("Leases of an earlier start whose jobs this one has taken up again: they are not lost."),
      waitMs: z.int().min(0).max(30_000).default(20_000),
    }),
    response: z.object({ assignment: assignment.nullable() }),
    errors: ["server.stopping"],
  },
  startJob: {
    method: "POST",
    path: "/api/agent/jobs/:id/start",
    summary: "The job's work begins.",
    auth: { agent: true },
    params: job,
    body: z.strictObject({ token: leaseToken }),
    response: z.object({}),
    errors: ["lease.stale"],
  },
  resumeJob: {
    method: "POST",
    path: "/api/agent/jobs/:id/resume",
    summary:
      "An agent that was started anew takes up a job that still runs: its lease is renewed. Answers where its log goes on.",
    auth: { agent: true },
    params: job,
    body: z.strictObject({ token: leaseToken }),
    response: z.object({ offset: z.int().describe("Bytes of the log that the server has.") }),
    errors: ["lease.stale"],
  },
  renewLease: {
    method: "POST",
    path: "/api/agent/jobs/:id/renew",
    summary:
      "Keep the lease; learn whether to cancel. After a refusal the agent ends its containers before anything else.",
    auth: { agent: true },
    params: job,
    body: z.strictObject({ token: leaseToken }),
    response: z.object({ cancel: z.boolean() }),
    errors: ["lease.stale"],
  },
  appendLog: {
    method: "POST",
    path: "/api/agent/jobs/:id/log",
    summary: "Append a part to the attempt's log. What of it is there already is taken as done.",
    auth: { agent: true },
    params: job,
    headers: z.object({ "towline-lease": leaseToken }),
    query: z.strictObject({
      offset: z.coerce.number().int().nonnegative().describe("Bytes of the log before this part."),
      times: logTimes.optional(),
    }),
    body: rawBytes,
    bodyLimit: logPartLimit,
    response: z.object({ next: z.int().describe("Bytes that the server has; the offset it expects next.") }),
    errors: ["lease.stale", "conflict", "disk.full"],
  },
  reportTests: {
    method: "POST",
    path: "/api/agent/jobs/:id/tests",
    summary:
      "Results of tests of the attempt, part after part, before its end. A part that is there already is taken as done.",
    auth: { agent: true },
    params: job,
    body: testReport.extend({ token: leaseToken }),
    bodyLimit: 4 * 1024 * 1024,
    response: z.object({}),
    errors: ["lease.stale", "limit.reached"],
  },
  stopAgent: {
    method: "POST",
    path: "/api/agent/stop",
    summary: "The agent stops and nothing of it runs any more: jobs it still holds are lost at once, and go to others.",
    auth: { agent: true },
    body: z.strictObject({ agent: agentName, instance: agentInstance }),
    response: z.object({}),
  },
  finishJob: {
    method: "POST",
    path: "/api/agent/jobs/:id/finish",
    summary: "The job has ended and nothing of it runs any more. Repeating the same result is taken as done.",
    auth: { agent: true },
    params: job,
    body: z.strictObject({ token: leaseToken, result: jobResult }),
    response: z.object({}),
    errors: ["lease.stale"],
  },
});
