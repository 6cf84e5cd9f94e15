/** What the jobs of a build left for people: values, words and files. */
import { z } from "zod";
import { anyRole, endpoints } from "../endpoint.ts";
import { digest, uuid } from "../names.ts";

export const annotationStyles = ["default", "info", "success", "warning", "error"] as const;

const annotation = z.object({
  context: z.string(),
  style: z.enum(annotationStyles),
  priority: z.int(),
  body: z.string().describe("Markdown, as the job wrote it: not to be trusted."),
  createdAt: z.iso.datetime(),
  changedAt: z.iso.datetime(),
});
export type Annotation = z.output<typeof annotation>;

export const artifact = z.object({
  id: uuid,
  path: z.string(),
  size: z.int(),
  sha1: z.string(),
  digest,
  contentType: z.string().describe("As the job said; the content is never served as a page."),
  job: uuid,
  step: z.string(),
  attempt: z.int(),
  createdAt: z.iso.datetime(),
});
export type Artifact = z.output<typeof artifact>;

const notification = z.object({
  id: z.string().describe("What the receiver sees as `X-Towline-Delivery`; the same for every try."),
  address: z.string().describe("Of the receiver; what may be a secret in it is left out."),
  event: z.string(),
  state: z.enum(["waiting", "delivered", "given-up"]),
  tries: z.int(),
  status: z.int().nullable().describe("HTTP status of the last answer; null where there was none."),
  error: z.string().nullable().describe("Why the last try was no success."),
  createdAt: z.iso.datetime(),
  triedAt: z.iso.datetime().nullable(),
  nextAt: z.iso.datetime().nullable().describe("Of the next try; null where there is none."),
});
export type Notification = z.output<typeof notification>;

export const artifactQuery = z.strictObject({
  query: z.string().min(1).max(1000).default("**").describe("Glob; `*` crosses folders too."),
  step: z.string().max(200).optional().describe("Key of the step, or id of the job."),
  retried: z
    .enum(["true", "false"])
    .default("false")
    .describe("`true`: also what a later attempt of the same job has replaced."),
});

/** Of one answer; who has more narrows the query. */
export const mostArtifacts = 10_000;

const byBuild = z.object({ id: uuid });

export const buildRecordEndpoints = endpoints({
  showMetaData: {
    method: "GET",
    path: "/api/builds/:id/meta-data",
    summary: "All meta-data of a build.",
    auth: { roles: anyRole },
    params: byBuild,
    response: z.object({ values: z.record(z.string(), z.string()) }),
    errors: ["not-found"],
  },
  listAnnotations: {
    method: "GET",
    path: "/api/builds/:id/annotations",
    summary: "What the jobs of a build wrote for people, the most important first.",
    auth: { roles: anyRole },
    params: byBuild,
    response: z.object({ annotations: z.array(annotation) }),
    errors: ["not-found"],
  },
  listNotifications: {
    method: "GET",
    path: "/api/builds/:id/notifications",
    summary: "Whom `notify` told of a build, and what came of it, the newest first: the last 200, for 30 days.",
    auth: { roles: anyRole },
    params: byBuild,
    response: z.object({ notifications: z.array(notification) }),
    errors: ["not-found"],
  },
  listArtifacts: {
    method: "GET",
    path: "/api/builds/:id/artifacts",
    summary: "Artifacts of a build; their content is at `/api/artifacts/<id>/content`, in ranges where asked.",
    auth: { roles: anyRole },
    params: byBuild,
    query: artifactQuery,
    response: z.object({ artifacts: z.array(artifact) }),
    errors: ["not-found", "request.invalid"],
  },
});
