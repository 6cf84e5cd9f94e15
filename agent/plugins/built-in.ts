/** The configuration of the plugins that the agent does itself, as Buildkite's own plugins take it. */
import { z } from "zod";
import type { Plugin } from "#api/endpoints/agent.ts";
import type { BuiltInPlugin } from "#pipeline/plugin-source.ts";

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const texts = z.union([text.transform((one) => [one]), z.array(text)]);
const flag = z
  .union([z.boolean(), z.literal("true"), z.literal("false")])
  .transform((value) => String(value) === "true");
const shell = z.union([z.literal(false), z.array(text)]);

/** `A=b` sets; `A` passes on. A map is taken too. */
const environment = z.union([
  texts,
  z.record(z.string(), text).transform((map) => Object.entries(map).map(([name, value]) => `${name}=${value}`)),
]);

/** What changes nothing here: how the plugin finds its programs, prints, and cleans up, which the agent always does. */
const idle = {
  "cli-version": z.unknown(),
  compatibility: z.unknown(),
  verbose: z.unknown(),
  rm: z.unknown(),
  "leave-volumes": z.unknown(),
  "graceful-shutdown": z.unknown(),
  "pull-retries": z.unknown(),
  "push-retries": z.unknown(),
  ansi: z.unknown(),
  tty: z.unknown(),
  interactive: z.unknown(),
  "collapse-logs": z.unknown(),
  "upload-container-logs": z.unknown(),
  "check-linked-containers": z.unknown(),
  "expand-volume-vars": z.unknown(),
  "run-labels": z.unknown(),
  "use-aliases": z.unknown(),
  dependencies: z.unknown(),
  wait: z.unknown(),
  "quiet-pull": z.unknown(),
  "skip-checkout": z.unknown(),
};
const idleKeys = Object.fromEntries(Object.entries(idle).map(([key, shape]) => [key, shape.optional()]));

const dockerCompose = z.strictObject({
  ...idleKeys,
  run: text.optional(),
  build: texts.optional(),
  push: texts.optional(),
  config: texts.default(["docker-compose.yml"]),
  command: z.array(text).optional(),
  entrypoint: text.optional(),
  shell: shell.optional(),
  workdir: text.optional(),
  user: text.optional(),
  env: environment.default([]),
  environment: environment.default([]),
  volumes: texts.default([]),
  "propagate-environment": flag.default(false),
  "propagate-uid-gid": flag.default(false),
  "mount-checkout": z.union([flag, text]).default(false),
  "mount-buildkite-agent": flag.default(false),
  pull: texts.optional(),
});
export type DockerComposeConfig = z.output<typeof dockerCompose>;

const docker = z.strictObject({
  ...idleKeys,
  // Both are always there.
  "mount-checkout": z.unknown().optional(),
  "mount-buildkite-agent": z.unknown().optional(),
  image: text,
  command: z.array(text).optional(),
  entrypoint: text.optional(),
  shell: shell.optional(),
  workdir: text.optional(),
  environment: environment.default([]),
  volumes: texts.default([]),
  "always-pull": flag.default(false),
  "propagate-environment": z.unknown().optional(),
  "propagate-uid-gid": z.unknown().optional(),
  init: z.unknown().optional(),
});
export type DockerConfig = z.output<typeof docker>;

export const cacheLevels = ["file", "step", "branch", "pipeline", "all"] as const;
export type CacheLevel = (typeof cacheLevels)[number];

const cache = z.strictObject({
  path: text,
  manifest: texts.default([]),
  restore: z.enum(cacheLevels).optional(),
  save: z.union([z.enum(cacheLevels).transform((one) => [one]), z.array(z.enum(cacheLevels))]).default([]),
  force: z.unknown().optional(),
  compression: z.unknown().optional(),
  backend: z.unknown().optional(),
  "key-extra": text.default(""),
});
export type CacheConfig = z.output<typeof cache>;

const patterns = texts.pipe(z.array(z.string()).min(1).max(20));

/** Patterns of the reports that the commands leave in the checkout, or that earlier steps kept as artifacts. */
const junit = z
  .strictObject({ files: patterns.optional(), artifacts: patterns.optional() })
  .refine(({ files, artifacts }) => files ?? artifacts, "it needs files or artifacts");
export type JunitConfig = z.output<typeof junit>;

const count = z.coerce.number().int().nonnegative();

const junitAnnotate = z.strictObject({
  ...idleKeys,
  artifacts: text,
  context: text.default("junit"),
  "failure-format": z.enum(["classname", "file"]).default("classname"),
  "always-annotate": flag.default(false),
  "fail-build-on-error": flag.default(false),
  "failed-download-exit-code": count.pipe(z.number().min(1).max(255)).default(2),
  "min-tests": count.default(0),
  "report-skipped": flag.default(false),
  "report-slowest": count.default(0),
  "job-uuid-file-pattern": z.unknown().optional(),
  "run-in-docker": z.unknown().optional(),
  "ruby-image": z.unknown().optional(),
});
export type AnnotateConfig = z.output<typeof junitAnnotate>;

const moved = z.strictObject({ from: text, to: text.optional() });
const oneMove = z.union([text.transform((from) => ({ from, to: undefined })), moved]).transform(withoutUnset);
const moves = z.union([oneMove.transform((one) => [one]), z.array(oneMove)]).default([]);

function withoutUnset({ from, to }: { from: string; to?: string | undefined }): { from: string; to?: string } {
  return to === undefined ? { from } : { from, to };
}

const artifacts = z.strictObject({
  upload: moves,
  download: moves,
  step: text.optional(),
  build: text.optional(),
  "ignore-missing": flag.default(false),
  "skip-on-status": z.union([z.int().transform((one) => [one]), z.array(z.int())]).default([]),
  "expand-upload-vars": z.unknown().optional(),
  "expand-download-vars": z.unknown().optional(),
});
export type ArtifactsConfig = z.output<typeof artifacts>;

const shapes = {
  artifacts,
  docker,
  cache,
  junit,
  "docker-compose": dockerCompose,
  "junit-annotate": junitAnnotate,
} satisfies Record<BuiltInPlugin, z.ZodType>;
type Read = { [K in BuiltInPlugin]: { name: K; config: z.output<(typeof shapes)[K]> } }[BuiltInPlugin];

/** The configuration, or which key of it is wrong or not served here. */
export function readConfig(name: BuiltInPlugin, config: Plugin["config"]): Read | { fault: string } {
  const read = shapes[name].safeParse(config ?? {});
  if (read.success) return { name, config: read.data } as Read;
  const [issue] = read.error.issues;
  if (issue?.code === "unrecognized_keys") return { fault: `${issue.keys.join(", ")} is not served here` };
  return { fault: `${issue?.path.join(".") || "its configuration"}: ${issue?.message}` };
}
