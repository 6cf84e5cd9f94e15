/**
 * What a job says to the server, by way of the agent's command line inside it. The token tells which attempt speaks; once
 * that has ended, every call is refused `lease.stale`.
 */
import { z } from "zod";
import { endpoints } from "../endpoint.ts";
import { digest, uuid, variableName } from "../names.ts";
import { annotationStyles, artifact, artifactQuery } from "./build-records.ts";

const rule = { job: true } as const;
const stale = "lease.stale" as const;

/** Another build of the same repository, where it is not the job's own that is meant. */
const build = uuid.optional().describe("Without it the job's own build; another must be of the same repository.");

const context = z.string().default("default").describe("Name of the annotation in its build.");

/** Bytes of a value; jobs pass facts by meta-data, and files as artifacts. */
export const metaDataLimit = 100 * 1024;

const uploadText = z.string().max(1024 * 1024);

const pipelineUpload = z.strictObject({
  upload: z.string().min(1).max(100).describe("Made by the job for this upload: the same said again adds nothing."),
  file: z.string().min(1).max(300).default("pipeline.yml").describe("What faults name as their place."),
  text: uploadText.describe("A pipeline: YAML or JSON, a map with `steps` or the list of them."),
  variables: z
    .record(z.string().max(200), uploadText)
    .default({})
    .describe("What `$NAME` in it stands for beside the facts of the build: the job's environment."),
  interpolate: z.boolean().default(true),
  replace: z
    .boolean()
    .default(false)
    .describe("Take the steps away that have not begun, and put these in their place."),
});
export type PipelineUpload = z.output<typeof pipelineUpload>;

const stepUpdate = z.strictObject({
  step: z.string().min(1).max(300).optional().describe("Its key, or the id of its job; without it the job itself."),
  label: z
    .string()
    .min(1)
    .max(300)
    .regex(/^\P{Cc}*$/u, "a label is one line without control characters")
    .optional(),
  priority: z.int().min(-1_000_000).max(1_000_000).optional(),
});
export type StepUpdate = z.output<typeof stepUpdate>;

const uploadedPipeline = z.object({
  steps: z.array(z.string()).describe("Keys of the jobs that were added."),
  removed: z.array(z.string()).describe("Keys of the steps that they took the place of."),
  warnings: z.array(
    z.object({
      code: z.string(),
      message: z.string(),
      place: z.object({ file: z.string(), line: z.int(), column: z.int() }).optional(),
      fix: z.string().optional(),
    }),
  ),
});
export type UploadedPipeline = z.output<typeof uploadedPipeline>;

export const jobEndpoints = endpoints({
  uploadPipeline: {
    method: "POST",
    path: "/api/job/pipeline",
    summary: "Add steps to the job's build: they wait for the job, and what waits for the job waits for them too.",
    auth: rule,
    body: pipelineUpload,
    bodyLimit: 4 * 1024 * 1024,
    response: uploadedPipeline,
    errors: [stale, "build.wrong-state", "pipeline.invalid", "manifest.missing", "upload.refused", "limit.reached"],
  },
  setMetaData: {
    method: "POST",
    path: "/api/job/meta-data",
    summary: `Set a value of the build's meta-data, at most ${metaDataLimit / 1024} KiB; the last word counts.`,
    auth: rule,
    body: z.strictObject({ key: z.string(), value: z.string() }),
    response: z.object({}),
    errors: [stale, "meta-data.invalid"],
  },
  getMetaData: {
    method: "GET",
    path: "/api/job/meta-data",
    summary: "A value of a build's meta-data; null where there is none.",
    auth: rule,
    query: z.strictObject({ key: z.string(), build }),
    response: z.object({ value: z.string().nullable() }),
    errors: [stale, "not-found"],
  },
  listMetaDataKeys: {
    method: "GET",
    path: "/api/job/meta-data/keys",
    summary: "The keys of a build's meta-data, in the order of the alphabet.",
    auth: rule,
    query: z.strictObject({ build }),
    response: z.object({ keys: z.array(z.string()) }),
    errors: [stale, "not-found"],
  },
  showStep: {
    method: "GET",
    path: "/api/job/step",
    summary: "Attributes of a step, in Buildkite's words.",
    auth: rule,
    query: z.strictObject({ step: z.string().min(1).max(200).describe("Its key, or the id of its job."), build }),
    response: z.object({
      attributes: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string()), z.null()])),
    }),
    errors: [stale, "not-found"],
  },
  updateStep: {
    method: "POST",
    path: "/api/job/step",
    summary: "Change a job or trigger of the build: its label, or which of the ready jobs goes first.",
    auth: rule,
    body: stepUpdate,
    response: z.object({}),
    errors: [stale, "not-found", "step.fixed"],
  },
  readSecrets: {
    method: "POST",
    path: "/api/job/secrets",
    summary: "Values of secrets of the repository, where the step names some, only of those.",
    auth: rule,
    body: z.strictObject({ names: z.array(variableName).min(1).max(100) }),
    response: z.object({ values: z.record(z.string(), z.string()) }),
    errors: [stale, "not-found"],
  },
  annotate: {
    method: "POST",
    path: "/api/job/annotations",
    summary: "Write Markdown on the page of the build, or change what the context has there.",
    auth: rule,
    body: z.strictObject({
      context,
      body: z.string().optional().describe("Without it what is there stays."),
      append: z.boolean().default(false).describe("Add to what is there."),
      style: z.enum(annotationStyles).optional(),
      priority: z.int().min(1).max(10).optional().describe("The highest is shown first."),
    }),
    bodyLimit: 8 * 1024 * 1024,
    response: z.object({}),
    errors: [stale, "annotation.invalid"],
  },
  removeAnnotation: {
    method: "DELETE",
    path: "/api/job/annotations",
    summary: "Remove an annotation of the build.",
    auth: rule,
    query: z.strictObject({ context }),
    response: z.object({}),
    errors: [stale, "not-found"],
  },
  createArtifact: {
    method: "POST",
    path: "/api/job/artifacts",
    summary:
      "Announce a file that the attempt keeps. Its content is then sent to `/api/job/artifacts/<id>/content?at=<bytes>` (PUT), unless it is known already.",
    auth: rule,
    body: z.strictObject({
      path: z.string().describe("With slashes, relative, without `..`."),
      size: z.int().nonnegative(),
      sha1: z.string().regex(/^[0-9a-f]{40}$/),
      digest,
      contentType: z.string().regex(/^[\w.+-]{1,80}\/[\w.+-]{1,80}(; ?charset=[\w-]{1,40})?$/, "a media type"),
    }),
    response: z.object({ id: uuid, at: z.int().nullable().describe("Where to go on; null when it is complete.") }),
    errors: [stale, "artifact.invalid", "disk.full"],
  },
  searchArtifacts: {
    method: "GET",
    path: "/api/job/artifacts",
    summary: "Artifacts of a build, by path.",
    auth: rule,
    query: artifactQuery.extend({ build }),
    response: z.object({ artifacts: z.array(artifact) }),
    errors: [stale, "not-found", "request.invalid"],
  },
});
