/** Shapes of the values that the keys of a step take, in every form that people write. */
import { z } from "zod";
import { variableName } from "#api/names.ts";
import { type Json, signalReasons } from "./step.ts";
import { flag, numberValue, textList, textValue, wholeNumber } from "./text/values.ts";

/** Buildkite's own rule is the same: a key that looks like an id would be taken for one. */
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const stepKey = textValue.pipe(
  z
    .string()
    .regex(/^[A-Za-z0-9_:-]{1,100}$/, "letters, digits, dashes, underscores and colons, at most 100")
    .refine((key) => !uuid.test(key), "a key may not look like a UUID"),
);

/** Names of jobs of a matrix have a slash, which no written key has. */
const dependencyName = textValue.pipe(
  z.string().regex(/^[A-Za-z0-9_:./-]{1,300}$/, "the key of a step: letters, digits, dashes, underscores and colons"),
);

export const dependencies = z.union([
  z.null().transform(() => []),
  dependencyName.transform((step) => [{ step, allow_failure: undefined }]),
  z
    .array(
      z.union([
        dependencyName.transform((step) => ({ step, allow_failure: undefined })),
        z.strictObject({ step: dependencyName, allow_failure: flag.optional() }),
      ]),
    )
    .max(500),
]);

export const label = textValue.pipe(z.string().max(300));

export const envValues = z.record(variableName, z.union([textValue, z.null().transform(() => "")]));

const exitStatus = z.union([
  z.literal("*"),
  wholeNumber.transform((status) => [status]),
  z.array(wholeNumber).min(1).max(100),
]);

const automaticRule = z.strictObject({
  exit_status: exitStatus.optional(),
  signal: textValue
    .pipe(z.string().regex(/^(\*|[A-Za-z0-9+]{1,20})$/, "the name of a signal such as SIGKILL, `none` or `*`"))
    .optional(),
  signal_reason: z.enum(signalReasons).optional(),
  limit: wholeNumber.pipe(z.int().min(0).max(10, "at most 10")).optional(),
});

export const manualRetry = z.union([
  flag,
  z.strictObject({ allowed: flag.optional(), reason: label.optional(), permit_on_passed: flag.optional() }),
]);

export const retry = z.strictObject({
  automatic: z.union([flag, automaticRule, z.array(automaticRule).max(20)]).optional(),
  manual: manualRetry.optional(),
});

export const softFail = z.union([
  flag,
  z.array(z.strictObject({ exit_status: z.union([z.literal("*"), wholeNumber]) })).max(100),
]);

export const skip = z.union([flag, z.string().max(300)]);

export const agentTags = z.union([
  z.record(z.string(), textValue),
  z
    .array(z.string().regex(/^[^=]+=[^=]*$/, "write tag=value"))
    .transform((tags) => Object.fromEntries(tags.map((tag) => tag.split("=") as [string, string]))),
]);

const globs = textList.pipe(z.array(z.string().min(1).max(1000)).min(1, "at least one pattern").max(200));

export const changeFilter = z.union([
  globs.transform((include) => ({ include, exclude: undefined })),
  z.strictObject({ include: globs, exclude: globs.optional() }),
]);

/** What decides a result: globs of files, or a map with variables of the build beside them. */
export const inputs = z.union([
  globs.transform((files) => ({ files, exclude: undefined, env: undefined })),
  z.strictObject({ files: globs, exclude: globs.optional(), env: z.array(variableName).max(100).optional() }),
]);

/** What a reader of YAML gives is plain JSON already. */
const json = z.custom<Json>(() => true);

const pluginSource = z.string().min(1).max(500);

/** As lists of names, of maps with one name each, or as one map; the order counts. */
export const plugins = z
  .union([
    pluginSource.transform((source) => [{ source, config: null }]),
    z.record(pluginSource, json).transform((map) => entriesOf(map)),
    z
      .array(
        z.union([
          pluginSource.transform((source) => [{ source, config: null }]),
          z.record(pluginSource, json).transform((map) => entriesOf(map)),
        ]),
      )
      .transform((list) => list.flat()),
  ])
  .pipe(z.array(z.object({ source: z.string(), config: json })).max(50, "at most 50 plugins"));

function entriesOf(map: Record<string, Json>): { source: string; config: Json }[] {
  return Object.entries(map).map(([source, config]) => ({ source, config }));
}

const cachePath = z.string().min(1).max(400);
const cachePaths = z.union([cachePath.transform((path) => [path]), z.array(cachePath).min(1).max(50)]);
const cacheKey = z.string().min(1).max(400);

/** Buildkite writes `20g`. */
const cacheSize = textValue.pipe(
  z
    .string()
    .regex(/^\d{1,4}(g|Gi|G|Mi|M|m)$/i, "write a size such as 20g or 500Mi")
    .transform((text) => Number.parseInt(text, 10) * (/g/i.test(text) ? 2 ** 30 : 2 ** 20)),
);

export const cache = z.union([
  cachePaths.transform((paths) => ({
    paths,
    name: undefined,
    key: undefined,
    restore_keys: undefined,
    size: undefined,
  })),
  z.strictObject({
    paths: cachePaths,
    name: cacheKey.optional(),
    key: cacheKey.optional(),
    restore_keys: z.union([cacheKey.transform((key) => [key]), z.array(cacheKey).max(20)]).optional(),
    size: cacheSize.optional(),
  }),
]);

/** A list of secrets that keep their names, or variables and the secrets that they get. */
export const secrets = z.union([
  z.array(variableName).transform((names) => Object.fromEntries(names.map((name) => [name, name]))),
  z.record(variableName, variableName),
]);

const notificationMap = z.record(z.string(), json).superRefine((map, context) => {
  const kinds = Object.keys(map).filter((key) => key !== "if");
  if (kinds.length !== 1) context.addIssue({ code: "custom", message: "name one service, and `if` beside it" });
  if ("if" in map && typeof map["if"] !== "string")
    context.addIssue({ code: "custom", path: ["if"], message: "write an expression" });
});

export const notify = z
  .array(
    z.union([
      z.string().transform((kind) => ({ kind, config: null as Json, if: undefined })),
      notificationMap.transform(({ if: condition, ...rest }) => {
        const [kind = "", config = null] = Object.entries(rest)[0] ?? [];
        return { kind, config, if: typeof condition === "string" ? condition : undefined };
      }),
    ]),
  )
  .max(50, "at most 50 notifications");

const fieldKey = textValue.pipe(
  z.string().regex(/^[A-Za-z0-9_/-]{1,100}$/, "letters, digits, dashes, underscores and slashes, at most 100"),
);

const fieldKeys = { key: fieldKey, hint: label.optional(), required: flag.optional() };

const textField = z.strictObject({
  ...fieldKeys,
  // Named, so that a select with a fault is not taken for a text with strange keys.
  select: z.never().optional(),
  options: z.never().optional(),
  text: label.nullable().optional(),
  default: textValue.pipe(z.string().max(10_000)).optional(),
  format: z.string().max(500).optional(),
});

const optionShape = z.strictObject({
  label,
  value: textValue.pipe(z.string().max(1000)),
  hint: label.optional(),
  required: flag.optional(),
});

const selectField = z.strictObject({
  ...fieldKeys,
  select: label.nullable(),
  multiple: flag.optional(),
  default: textList.optional(),
  options: z.array(optionShape).min(1, "a select needs at least one option").max(200),
});

export const fields = z.array(z.union([selectField, textField])).max(50, "at most 50 fields");

/** Numbers and booleans keep what they look like. */
const matrixValue = textValue.pipe(z.string().max(300));
const matrixValues = z.array(matrixValue);
const dimensionName = z.string().regex(/^[A-Za-z0-9_]{1,100}$/, "letters, digits and underscores");

/** Buildkite's schema shows a value as itself and as a list of one. */
const adjustedValue = z.union([
  matrixValue.transform((value) => ({ "": value })),
  z
    .array(matrixValue)
    .length(1)
    .transform(([value = ""]) => ({ "": value })),
  z.record(dimensionName, matrixValue),
]);

export const matrix = z.union([
  matrixValues.transform((values) => ({ setup: { "": values }, adjustments: undefined })),
  z.strictObject({
    setup: z.union([
      matrixValues.transform((values): Record<string, string[]> => ({ "": values })),
      z.record(dimensionName, z.union([matrixValue.transform((value) => [value]), matrixValues])),
    ]),
    adjustments: z
      .array(z.strictObject({ with: adjustedValue, skip: skip.optional(), soft_fail: softFail.optional() }))
      .optional(),
  }),
]);

export const triggeredBuild = z.strictObject({
  message: textValue.pipe(z.string().max(10_000)).optional(),
  branch: textValue.pipe(z.string().max(300)).optional(),
  commit: textValue.pipe(z.string().max(300)).optional(),
  env: envValues.optional(),
  meta_data: z.record(z.string().min(1).max(100), textValue.pipe(z.string().max(100_000))).optional(),
});

export const priority = wholeNumber.pipe(z.int().min(-1_000_000).max(1_000_000));

export const minutes = numberValue.pipe(z.number().positive().max(1440, "at most 1440 minutes"));
