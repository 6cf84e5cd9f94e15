/** The keys of each kind of step as they are written, with what Buildkite has beyond that. */
import { z } from "zod";
import { environmentName, variableName } from "#api/names.ts";
import { imageReference } from "./environment-shape.ts";
import type { StepKind } from "./step.ts";
import { numberValue, repositoryPath, textList, textValue, wholeNumber } from "./text/values.ts";

const stepKey = textValue.pipe(
  z.string().regex(/^[A-Za-z0-9_:-]{1,100}$/, "letters, digits, dashes, underscores and colons, at most 100"),
);

const dependencies = z.union([
  z.null().transform(() => []),
  stepKey.transform((step) => [{ step, allow_failure: undefined }]),
  z
    .array(
      z.union([
        stepKey.transform((step) => ({ step, allow_failure: undefined })),
        z.strictObject({ step: stepKey, allow_failure: z.boolean().optional() }),
      ]),
    )
    .max(500),
]);

const label = textValue.pipe(z.string().max(300));

const commonKeys = {
  label: label.optional(),
  name: label.optional(),
  key: stepKey.optional(),
  id: stepKey.optional(),
  identifier: stepKey.optional(),
  type: z.string().optional(),
  depends_on: dependencies.optional(),
  allow_dependency_failure: z.boolean().optional(),
  if: z.string().optional(),
  branches: textList.optional(),
  skip: z.union([z.boolean(), z.string().max(300)]).optional(),
};

const envValues = z.record(variableName, z.union([textValue, z.null().transform(() => "")]));

const exitStatus = z.union([z.literal("*"), wholeNumber.transform((status) => [status]), z.array(wholeNumber)]);

const automaticRule = z.strictObject({
  exit_status: exitStatus.optional(),
  limit: wholeNumber.pipe(z.int().min(0).max(10, "at most 10")).optional(),
});

const manualRetry = z.union([
  z.boolean(),
  z.strictObject({ allowed: z.boolean().optional(), reason: label.optional() }),
]);

const agentTags = z.union([
  z.record(z.string(), textValue),
  z
    .array(z.string().regex(/^[^=]+=[^=]*$/, "write tag=value"))
    .transform((tags) => Object.fromEntries(tags.map((tag) => tag.split("=") as [string, string]))),
]);

const workKeys = {
  ...commonKeys,
  env: envValues.optional(),
  timeout_in_minutes: numberValue.pipe(z.number().positive().max(1440, "at most 1440 minutes")).optional(),
  soft_fail: z
    .union([z.boolean(), z.array(z.strictObject({ exit_status: z.union([z.literal("*"), wholeNumber]) }))])
    .optional(),
  retry: z
    .strictObject({
      automatic: z.union([z.boolean(), automaticRule, z.array(automaticRule).max(20)]).optional(),
      manual: manualRetry.optional(),
    })
    .optional(),
  image: imageReference.optional(),
  agents: agentTags.optional(),
  artifact_paths: textList.optional(),
  cancel_on_build_failing: z.boolean().optional(),
};

const commandLines = z.union([z.null().transform(() => []), textList]);

const composeService = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, "the name of a Compose service");

const publishMap = z.strictObject({
  context: repositoryPath.optional(),
  dockerfile: repositoryPath.optional(),
  args: z.record(variableName, textValue).optional(),
});

const manualOnly = z.strictObject({ manual: manualRetry.optional() });

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
    test: z.strictObject({ compose: repositoryPath, run: composeService, junit: repositoryPath.optional() }),
  }),
  publish: z.object({
    ...workKeys,
    publish: z.union([
      repositoryPath.transform((context) => ({ context, dockerfile: undefined, args: undefined })),
      z.null().transform(() => ({ context: undefined, dockerfile: undefined, args: undefined })),
      publishMap,
    ]),
  }),
  deploy: z.object({ ...commonKeys, deploy: environmentName, retry: manualOnly.optional() }),
  block: z.object({
    ...commonKeys,
    block: label.nullable().optional(),
    manual: label.nullable().optional(),
    prompt: textValue.pipe(z.string().max(2000)).optional(),
    allowed_roles: textList.optional(),
  }),
  wait: z.object({
    ...commonKeys,
    wait: z.unknown().optional(),
    waiter: z.unknown().optional(),
    continue_on_failure: z.boolean().optional(),
  }),
} satisfies Record<StepKind, z.ZodObject>;

export type WrittenStep<K extends StepKind> = z.output<(typeof stepShapes)[K]>;
export type WrittenWork = Omit<WrittenStep<"command">, "command" | "commands" | "script">;
export type WrittenCommon = Pick<WrittenWork, keyof typeof commonKeys>;

/** The key that makes a map a step of this kind. */
export const kindKeys: Record<string, StepKind> = {
  command: "command",
  commands: "command",
  script: "command",
  test: "test",
  publish: "publish",
  deploy: "deploy",
  block: "block",
  manual: "block",
  wait: "wait",
  waiter: "wait",
};

/** Kinds of steps that Buildkite has and nothing here runs yet. */
export const unsupportedKinds = ["trigger", "group", "input"] as const;

const unsupportedCommon = [
  "matrix",
  "parallelism",
  "concurrency",
  "concurrency_group",
  "concurrency_method",
  "notify",
  "if_changed",
  "priority",
];

/** Keys of Buildkite that would change what a step does and are not served yet: never silently dropped. */
export const unsupportedKeys: Record<StepKind, readonly string[]> = {
  command: [...unsupportedCommon, "plugins", "plugin", "secrets", "cache", "inputs", "signature"],
  test: [...unsupportedCommon, "plugins", "secrets", "cache", "inputs"],
  publish: [...unsupportedCommon, "plugins", "secrets", "cache", "inputs"],
  deploy: [...unsupportedCommon, "env", "soft_fail", "timeout_in_minutes", "agents"],
  block: ["fields", "blocked_state", "allowed_teams", "if_changed", "notify"],
  wait: ["if_changed"],
};

export const unsupportedTopKeys = ["notify", "secrets", "image", "priority", "cache", "if_changed"] as const;

/** Steps of one file. */
export const maximumSteps = 500;

export const topShape = z.object({
  env: envValues.optional(),
  agents: agentTags.optional(),
  steps: z.array(z.unknown()).min(1, "there is no step").max(maximumSteps, `at most ${maximumSteps} steps`),
});
