/** What starts builds by itself: schedules, and calls from outside. */
import { z } from "zod";
import { anyRole, developing, endpoints, leading } from "../endpoint.ts";
import { branchName, repositoryName, variableName } from "../names.ts";

/** Variables that whoever starts a build may give it. */
export const buildEnv = z
  .record(variableName, z.string().max(10_000))
  .refine((env) => Object.keys(env).length <= 100, "at most 100 variables");

const scheduleName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "lower-case letters, digits and dashes, at most 40");

const schedule = z.object({
  repository: repositoryName,
  name: scheduleName,
  cron: z.string(),
  zone: z.string(),
  branch: branchName,
  env: buildEnv,
  creator: z.string(),
  nextAt: z.iso.datetime(),
  last: z
    .object({ at: z.iso.datetime(), build: z.int().nullable(), error: z.string().nullable() })
    .nullable()
    .describe("The last run: the number of its build, or why there is none."),
});
export type ScheduleView = z.output<typeof schedule>;

export const triggerEndpoints = endpoints({
  createSchedule: {
    method: "POST",
    path: "/api/schedules",
    summary: "Build a branch at the times of a cron expression. A schedule of that name is replaced.",
    auth: { roles: developing },
    body: z.strictObject({
      repository: repositoryName,
      name: scheduleName,
      cron: z.string().min(1).max(100).describe("Minute, hour, day of month, month, day of week."),
      zone: z.string().min(1).max(100).default("UTC").describe("IANA time zone, as `Europe/Berlin`."),
      branch: branchName.optional().describe("Without it the default branch."),
      env: buildEnv.default({}),
    }),
    response: schedule,
    errors: ["not-found", "limit.reached"],
  },
  listSchedules: {
    method: "GET",
    path: "/api/schedules",
    summary: "Schedules, those of one repository or all.",
    auth: { roles: anyRole },
    query: z.strictObject({ repository: repositoryName.optional() }),
    response: z.object({ schedules: z.array(schedule) }),
  },
  removeSchedule: {
    method: "DELETE",
    path: "/api/schedules",
    summary: "Remove a schedule; builds that it started go on.",
    auth: { roles: developing },
    query: z.strictObject({ repository: repositoryName, name: scheduleName }),
    response: z.object({ removed: z.literal(true) }),
    errors: ["not-found"],
  },
  createWebhook: {
    method: "POST",
    path: "/api/webhooks",
    summary:
      "Let signed calls from outside start builds of a repository. The secret is told once; an earlier one ends.",
    auth: { roles: leading },
    body: z.strictObject({ repository: repositoryName }),
    response: z.object({ path: z.string().describe("Path of this server to POST to."), secret: z.string() }),
    errors: ["not-found"],
  },
  listWebhooks: {
    method: "GET",
    path: "/api/webhooks",
    summary: "Repositories that take signed calls.",
    auth: { roles: anyRole },
    response: z.object({
      webhooks: z.array(
        z.object({
          repository: repositoryName,
          path: z.string(),
          creator: z.string(),
          createdAt: z.iso.datetime(),
        }),
      ),
    }),
  },
  removeWebhook: {
    method: "DELETE",
    path: "/api/webhooks",
    summary: "Take no signed calls for a repository any more.",
    auth: { roles: leading },
    query: z.strictObject({ repository: repositoryName }),
    response: z.object({ removed: z.literal(true) }),
    errors: ["not-found"],
  },
});
