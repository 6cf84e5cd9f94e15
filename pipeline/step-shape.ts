/** The keys of each kind of step as they are written; one definition for the reader, the schema and the manual. */
import { z } from "zod";
import { environmentName, variableName } from "#api/names.ts";
import { imageReference } from "./environment-shape.ts";
import type { StepKind } from "./step.ts";
import * as value from "./step-values.ts";
import { contextPath, flag, repositoryPath, textList, textValue, wholeNumber } from "./text/values.ts";

const commonKeys = {
  label: value.label.optional(),
  name: value.label.optional(),
  key: value.stepKey.optional(),
  id: value.stepKey.optional(),
  identifier: value.stepKey.optional(),
  type: z.string().optional(),
  depends_on: value.dependencies.optional(),
  allow_dependency_failure: flag.optional(),
  if: z.string().optional(),
  branches: textList.optional(),
  skip: value.skip.optional(),
  if_changed: value.changeFilter.optional(),
};

const concurrencyKeys = {
  concurrency: wholeNumber.pipe(z.int().min(1, "at least 1").max(1000, "at most 1000")).optional(),
  concurrency_group: textValue.pipe(z.string().min(1).max(200)).optional(),
  concurrency_method: z.enum(["ordered", "eager"]).optional(),
};

/** Steps of one file, after matrices and `parallelism` are spelt out; Buildkite's own limit of an upload. */
export const maximumSteps = 500;

/** Jobs that `parallelism` may make of a step. */
export const maximumParallelism = 100;

const parallelism = wholeNumber
  .pipe(z.int().min(1, "at least 1").max(maximumParallelism, `at most ${maximumParallelism}`))
  .optional();

const workKeys = {
  ...commonKeys,
  ...concurrencyKeys,
  env: value.envValues.optional(),
  timeout_in_minutes: value.minutes.optional(),
  timeout: value.minutes.optional(),
  soft_fail: value.softFail.optional(),
  retry: value.retry.optional(),
  image: imageReference.optional(),
  agents: value.agentTags.optional(),
  agent_query_rules: value.agentTags.optional(),
  artifact_paths: textList.optional(),
  artifacts: textList.optional(),
  cancel_on_build_failing: flag.optional(),
  priority: value.priority.optional(),
  matrix: value.matrix.optional(),
  parallelism,
  plugins: value.plugins.optional(),
  plugin: value.plugins.optional(),
  cache: value.cache.optional(),
  inputs: value.inputs.optional(),
  secrets: value.secrets.optional(),
  notify: value.notify.optional(),
  signature: z.unknown().optional(),
};

const commandLines = z.union([z.null().transform(() => []), textList]);

const composeService = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, "the name of a Compose service");

const publishMap = z.strictObject({
  context: contextPath.optional(),
  dockerfile: repositoryPath.optional(),
  args: z.record(variableName, textValue).optional(),
});

const manualOnly = z.strictObject({ manual: value.manualRetry.optional() });

const formKeys = {
  ...commonKeys,
  prompt: textValue.pipe(z.string().max(2000)).optional(),
  allowed_roles: textList.optional(),
  allowed_teams: textList.optional(),
  fields: value.fields.optional(),
  notify: value.notify.optional(),
};

/** Keys beyond these are faults or warnings of `step-reader.ts`; the objects drop them. */
export const stepShapes = {
  command: z.object({
    ...workKeys,
    command: commandLines.optional(),
    commands: commandLines.optional(),
    script: commandLines.optional(),
  }),
  test: z.object({
    ...workKeys,
    test: z.strictObject({
      ...{ compose: repositoryPath, run: composeService, junit: repositoryPath.optional() },
      ...{ pacts: repositoryPath.optional(), verify: repositoryPath.optional() },
    }),
  }),
  publish: z.object({
    ...workKeys,
    publish: z.union([
      contextPath.transform((context) => ({ context, dockerfile: undefined, args: undefined })),
      z.null().transform(() => ({ context: undefined, dockerfile: undefined, args: undefined })),
      publishMap,
    ]),
  }),
  deploy: z.object({
    ...commonKeys,
    ...concurrencyKeys,
    deploy: environmentName,
    retry: manualOnly.optional(),
    matrix: value.matrix.optional(),
  }),
  trigger: z.object({
    ...commonKeys,
    ...concurrencyKeys,
    trigger: textValue.pipe(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_./-]{0,199}$/, "the name of a pipeline")),
    async: flag.optional(),
    build: value.triggeredBuild.optional(),
    soft_fail: value.softFail.optional(),
    parallelism,
  }),
  block: z.object({
    ...formKeys,
    block: value.label.nullable().optional(),
    manual: value.label.nullable().optional(),
    blocked_state: z.enum(["passed", "failed", "running"]).optional(),
  }),
  input: z.object({ ...formKeys, input: value.label.nullable().optional() }),
  wait: z.object({
    ...commonKeys,
    wait: z.unknown().optional(),
    waiter: z.unknown().optional(),
    continue_on_failure: flag.optional(),
  }),
  unknown: z.object(commonKeys),
} satisfies Record<StepKind, z.ZodObject>;

export const groupShape = z.object({
  label: commonKeys.label,
  name: commonKeys.name,
  key: commonKeys.key,
  id: commonKeys.id,
  identifier: commonKeys.identifier,
  type: commonKeys.type,
  depends_on: commonKeys.depends_on,
  allow_dependency_failure: commonKeys.allow_dependency_failure,
  if: commonKeys.if,
  skip: commonKeys.skip,
  if_changed: commonKeys.if_changed,
  group: value.label.nullable().optional(),
  notify: value.notify.optional(),
  steps: z.array(z.unknown()).max(maximumSteps, `at most ${maximumSteps} steps`).nullable().optional(),
});

export type WrittenStep<K extends StepKind> = z.output<(typeof stepShapes)[K]>;
export type WrittenWork = Omit<WrittenStep<"command">, "command" | "commands" | "script">;
export type WrittenCommon = Pick<WrittenWork, keyof typeof commonKeys>;
export type WrittenForm = Omit<WrittenStep<"input">, "input">;

/** The key that makes a map a step of this kind. */
export const kindKeys: Record<string, StepKind> = {
  command: "command",
  commands: "command",
  script: "command",
  test: "test",
  publish: "publish",
  deploy: "deploy",
  trigger: "trigger",
  block: "block",
  manual: "block",
  input: "input",
  wait: "wait",
  waiter: "wait",
};

export const topShape = z.object({
  env: z.union([z.null().transform(() => ({})), value.envValues]).optional(),
  agents: value.agentTags.optional(),
  image: imageReference.optional(),
  priority: value.priority.optional(),
  secrets: value.secrets.optional(),
  cache: value.cache.optional(),
  notify: value.notify.optional(),
  if_changed: value.changeFilter.optional(),
  steps: z.array(z.unknown()).max(maximumSteps, `at most ${maximumSteps} steps`).nullable().optional(),
});
