import { z } from "zod";
import { anyRole, developing, endpoints } from "../endpoint.ts";
import { outcomes } from "../events.ts";
import { branchName, environmentName, repositoryName, revision, serviceName, uuid } from "../names.ts";
import { buildEnv } from "./triggers.ts";

/** `preparing`: the files of the revision are being read. `failing`: something failed for good, the rest goes on. */
export const buildStates = [
  "preparing",
  "scheduled",
  "running",
  "failing",
  "blocked",
  "canceling",
  "finished",
] as const;

/** What started a build. */
export const buildSources = ["push", "pull-request", "api", "schedule", "webhook", "trigger", "contract"] as const;

const place = z.object({ file: z.string(), line: z.int(), column: z.int() });
const fileFault = z.object({
  code: z.string(),
  message: z.string(),
  place: place.optional(),
  fix: z.string().optional(),
});

export const buildSummary = z.object({
  id: uuid,
  number: z.int().positive(),
  repository: repositoryName,
  branch: branchName,
  commit: revision,
  message: z.string().nullable().describe("Given with the build, or of the commit; null while preparing."),
  author: z.string().nullable(),
  source: z.enum(buildSources),
  service: serviceName.nullable().describe("Null for one of the whole repository, and while the files are being read."),
  folder: z.string().describe("Of its service in the repository; empty for the whole of it."),
  tag: z.string().nullable().describe("Of the build of a tag; its branch is the name of the tag too."),
  pullRequest: z.int().nullable(),
  creator: z.string().nullable(),
  state: z.enum(buildStates),
  outcome: z.enum(outcomes).nullable(),
  blockedState: z
    .enum(["passed", "failed", "running"])
    .nullable()
    .describe("While it stands at a gate: as what that gate wants it to be seen (`blocked_state`)."),
  supersededBy: z.int().nullable().describe("Number of the newer build of the branch that took its place."),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
});
export type BuildSummary = z.output<typeof buildSummary>;

const slotHolder = z.object({ build: uuid, repository: repositoryName, number: z.int(), step: z.string() });

const waitReason = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("dependency"), on: z.array(z.string()) }),
  z.object({ kind: z.literal("gate"), step: z.string(), label: z.string(), roles: z.array(z.string()) }),
  z.object({ kind: z.literal("agent") }),
  z.object({ kind: z.literal("no-agent"), tags: z.record(z.string(), z.string()) }),
  z.object({ kind: z.literal("disk-full") }),
  z.object({
    kind: z.literal("slot"),
    group: z.string(),
    limit: z.int(),
    held: z.array(slotHolder).describe("Who has the slots of the concurrency group."),
  }),
  z.object({ kind: z.literal("turn"), group: z.string(), before: slotHolder.describe("Whose turn it is.") }),
  z.object({ kind: z.literal("request"), environment: z.string() }),
  z.object({ kind: z.literal("deployment"), environment: z.string(), request: z.string() }),
  z.object({ kind: z.literal("trigger"), pipeline: z.string() }),
  z.object({ kind: z.literal("build"), name: z.string(), request: uuid }),
  z.object({ kind: z.literal("stopping"), agent: z.string().optional(), name: z.string().optional() }),
]);
export type WaitingFor = z.output<typeof waitReason>;

const attempt = z.object({
  number: z.int().positive(),
  agent: z.string().nullable(),
  request: uuid
    .nullable()
    .describe("Of a deploy step the request that its deployment carries, of a trigger step the build that it started."),
  name: z.string().nullable().describe("Of a triggered build, as people call it."),
  leasedAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  outcome: z.enum(["passed", "failed", "timed-out", "canceled", "lost", "superseded"]).nullable(),
  exitStatus: z.int().nullable(),
  reason: z.string().nullable(),
  reused: z
    .object({ build: uuid, number: z.int(), job: uuid, attempt: z.int() })
    .nullable()
    .describe(
      "The attempt of an earlier build whose result serves: nothing ran. Its files, log and tests are here too.",
    ),
});

const step = z.object({
  key: z.string(),
  label: z.string(),
  kind: z.enum(["command", "test", "publish", "deploy", "trigger", "block", "input", "wait", "unknown"]),
  job: uuid.nullable().describe("Of a step that runs on an agent: the name of its log."),
  environment: environmentName.nullable(),
  state: z.enum(["waiting", "runnable", "leased", "running", "requested", "blocked", "canceling", "finished"]),
  outcome: z
    .enum(["passed", "failed", "soft-failed", "timed-out", "canceled", "skipped", "broken", "superseded"])
    .nullable(),
  exitStatus: z.int().nullable(),
  reason: z.string().nullable().describe("Why it ended so, in words."),
  by: z.string().nullable().describe("Who unblocked or canceled it."),
  waits: z
    .array(z.object({ reason: waitReason, text: z.string().describe('Goes on from "waits".') }))
    .describe("Why it does not run now; empty when it runs or has ended."),
  dependsOn: z.array(z.string()),
  group: z.object({ key: z.string(), label: z.string() }).nullable(),
  fields: z
    .array(
      z.object({
        key: z.string(),
        label: z.string(),
        hint: z.string().optional(),
        required: z.boolean(),
        multiple: z.boolean(),
        options: z
          .array(z.object({ label: z.string(), value: z.string() }))
          .nullable()
          .describe("Null: any text."),
        default: z
          .union([z.string(), z.array(z.string())])
          .optional()
          .describe("What is filled in before anybody does."),
      }),
    )
    .describe("What a gate asks."),
  answers: z.record(z.string(), z.string()).nullable().describe("What was answered at a gate; also meta-data."),
  attempts: z.array(attempt),
});
export type StepView = z.output<typeof step>;

export const buildDetails = buildSummary.extend({
  parent: z
    .object({ build: uuid, repository: repositoryName, number: z.int(), step: z.string() })
    .nullable()
    .describe("The trigger step that started it."),
  fault: fileFault.extend({ faults: z.array(fileFault) }).nullable(),
  warnings: z.array(fileFault),
  steps: z.array(step),
});
export type BuildDetails = z.output<typeof buildDetails>;

const byId = z.object({ id: uuid });
/** Whoever may press a gate somewhere: the step's own roles decide further. */
const unblocking = ["developer", "analyst", "lead", "admin"] as const;

export const buildEndpoints = endpoints({
  createBuild: {
    method: "POST",
    path: "/api/builds",
    summary: "Build a branch's newest commit, or the given commit of that branch.",
    auth: { roles: developing },
    body: z.strictObject({
      repository: repositoryName,
      service: serviceName.optional().describe("Needed where the repository has several."),
      branch: branchName.optional().describe("Without it the default branch."),
      commit: revision.optional(),
      message: z.string().min(1).max(1000).optional().describe("Instead of the commit's."),
      env: buildEnv.optional().describe("Variables of all its jobs, weaker than those of the pipeline file."),
      metaData: z.record(z.string(), z.string()).optional().describe("Values that its jobs find in its meta-data."),
    }),
    response: buildSummary,
    errors: ["not-found", "git.bad-revision", "meta-data.invalid", "service.not-named", "limit.reached"],
  },
  listBuilds: {
    method: "GET",
    path: "/api/builds",
    summary: "Builds, newest first.",
    auth: { roles: anyRole },
    query: z.strictObject({
      repository: repositoryName.optional(),
      service: serviceName.optional(),
      branch: branchName.optional(),
      commit: revision.optional(),
      number: z.coerce.number().int().positive().optional(),
      state: z.enum(buildStates).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      before: z.coerce.number().int().positive().optional().describe("`next` of the page before."),
    }),
    response: z.object({
      builds: z.array(buildSummary),
      next: z.int().nullable().describe("`before` of the next page; null on the last."),
    }),
  },
  showBuild: {
    method: "GET",
    path: "/api/builds/:id",
    summary: "A build with its steps, attempts and what each waits for.",
    auth: { roles: anyRole },
    params: byId,
    response: buildDetails,
    errors: ["not-found"],
  },
  cancelBuild: {
    method: "POST",
    path: "/api/builds/:id/cancel",
    summary: "Cancel a build: jobs at work are stopped and deployments it asked for are called off.",
    auth: { roles: developing },
    params: byId,
    body: z.strictObject({ reason: z.string().min(1).max(500).optional() }).default({}),
    response: buildDetails,
    errors: ["not-found", "build.wrong-state"],
  },
  retryBuild: {
    method: "POST",
    path: "/api/builds/:id/retry",
    summary: "Try one step of a build again, or all that failed.",
    auth: { roles: developing },
    params: byId,
    body: z.strictObject({ step: z.string().min(1).max(200).optional().describe("Key of the step.") }).default({}),
    response: buildDetails,
    errors: ["not-found", "build.wrong-state"],
  },
  unblockStep: {
    method: "POST",
    path: "/api/builds/:id/unblock",
    summary: "Open a gate of a build.",
    auth: { roles: unblocking },
    params: byId,
    body: z
      .strictObject({
        step: z.string().min(1).max(200).optional().describe("Key; without it the only gate that waits."),
        fields: z
          .record(z.string(), z.union([z.string().max(10_000), z.array(z.string().max(1000)).max(100)]))
          .optional()
          .describe("Answers to the fields of the gate."),
      })
      .default({}),
    response: buildDetails,
    errors: ["not-found", "build.wrong-state", "build.bad-answer", "auth.forbidden"],
  },
  readJobLog: {
    method: "GET",
    path: "/api/jobs/:id/log",
    summary: "A piece of a job's log; with `waitMs` waits for more where there is none yet.",
    auth: { roles: anyRole },
    params: byId,
    query: z.strictObject({
      attempt: z.coerce.number().int().positive().optional().describe("Without it the newest."),
      offset: z.coerce.number().int().nonnegative().default(0).describe("Bytes; `next` of the piece before."),
      limit: z.coerce
        .number()
        .int()
        .min(64)
        .max(1024 * 1024)
        .default(256 * 1024),
      waitMs: z.coerce.number().int().min(0).max(30_000).default(0),
    }),
    response: z.object({
      attempt: z.int(),
      data: z.string(),
      next: z.int(),
      complete: z.boolean().describe("Nothing comes after `next`."),
    }),
    errors: ["not-found"],
  },
});
