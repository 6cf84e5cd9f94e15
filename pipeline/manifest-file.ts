/** The shape of `towline.yml` as it is written; `manifest.ts` fills in what is left out. */
import { z } from "zod";
import { serviceName, variableName } from "#api/names.ts";
import { compileGlob } from "./expression/glob.ts";
import { strategies } from "./release-plan.ts";
import { byteSize, contextPath, duration, numberValue, repositoryPath, textValue, wholeNumber } from "./text/values.ts";

const port = wholeNumber.pipe(z.int().min(1, "1 to 65535").max(65_535, "1 to 65535"));

/** Arguments of a process; one text is cut at blanks, without any meaning of a shell. */
const argumentList = z.union([
  z
    .string()
    .trim()
    .min(1)
    .transform((text) => text.split(/\s+/)),
  z
    .array(textValue.pipe(z.string().max(4096)))
    .min(1)
    .max(100),
]);

const healthPath = z
  .string()
  .max(200)
  .regex(/^\/[A-Za-z0-9\-._~/?=&%]*$/, "a path starts with a slash and has no blanks");

/** One number, or a range such as `2..6`. */
const instances = z
  .union([
    wholeNumber.transform((count) => ({ min: count, max: count })),
    z
      .string()
      .regex(/^\d{1,3}\.\.\d{1,3}$/, "write a number or a range such as 2..6")
      .transform(toRange),
  ])
  .refine(({ min, max }) => min >= 1 && min <= max && max <= 200, "from 1 to 200, the smaller number first");

function toRange(text: string): { min: number; max: number } {
  const [min = 0, max = 0] = text.split("..").map(Number);
  return { min, max };
}

const percent = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,2})?%$/, "write a share such as 10%")
  .transform((text) => Number(text.slice(0, -1)));

/** `10%`: traffic of the new release; `2m`: how long it is looked at there; `hold`: until somebody promotes it. */
const canaryStep = z.union(
  [
    percent
      .refine((share) => share > 0 && share < 100, "more than 0% and less than 100%")
      .transform((share) => ({ percent: share })),
    z.literal("hold"),
    duration.transform((ms) => ({ ms })),
  ],
  { error: "write a share such as 10%, a time such as 2m, or `hold`" },
);

/** A number of instances, or a share of them. */
const instancesOrShare = z.union([wholeNumber.pipe(z.int().min(0).max(100)), z.string().regex(/^(100|\d{1,2})%$/)], {
  error: "write a number of instances from 0 to 100, or a share such as 25%",
});

const analysis = z.strictObject({
  errors: percent.pipe(z.number().max(100, "at most 100%")).optional(),
  slower: numberValue.pipe(z.number().min(1, "at least 1").max(100, "at most 100")).optional(),
  p95: duration.optional(),
  requests: wholeNumber.pipe(z.int().min(10, "at least 10").max(100_000, "at most 100000")).optional(),
});

export type CanaryStep = z.output<typeof canaryStep>;

const release = z.strictObject({
  strategy: z.enum(strategies).optional(),
  migrate: argumentList.optional(),
  drain: duration.optional(),
  "warm-up": duration.pipe(z.int().max(3_600_000, "at most 1h")).optional(),
  "healthy-within": duration.pipe(z.int().min(1000, "at least 1s").max(3_600_000, "at most 1h")).optional(),
  surge: instancesOrShare.optional(),
  unavailable: instancesOrShare.optional(),
  steps: z.array(canaryStep).min(1).max(40).optional(),
  analysis: analysis.optional(),
});

const variables = z.record(variableName, textValue);

/** A folder, a file or a glob of the repository, from its root. */
const sharedPath = repositoryPath.superRefine((path, context) => {
  const compiled = compileGlob(path);
  if ("problem" in compiled) context.addIssue({ code: "custom", message: compiled.problem });
});

/** Not where the system, or what lies in every container, has its own. */
const filePath = z
  .string()
  .max(90)
  .regex(/^(\/[A-Za-z0-9._-]+)+$/, "an absolute path in the container, such as /run/secrets/tls.key")
  .refine((path) => !path.split("/").some((part) => part === ".." || part === "."), "a path without `.` and `..`")
  .refine((path) => !/^\/(proc|sys|dev)(\/|$)/.test(path), "not below /proc, /sys or /dev");

/** The name alone becomes a variable; with `file` it is a file. */
const secret = z.union([
  variableName.transform((name) => ({ name, file: undefined })),
  z.strictObject({ name: variableName, file: filePath }),
]);

/** What the number of instances follows; of several the one that wants most. */
const scale = z
  .strictObject({
    cpu: percent.pipe(z.number().min(1, "at least 1%").max(100, "at most 100%")).optional(),
    requests: numberValue.pipe(z.number().min(0.1, "at least 0.1").max(1_000_000, "at most 1000000")).optional(),
    p95: duration.pipe(z.int().min(1, "at least 1ms")).optional(),
    calm: duration.pipe(z.int().min(5_000, "at least 5s").max(86_400_000, "at most 1d")).optional(),
  })
  .refine(
    ({ cpu, requests, p95 }) => (cpu ?? requests ?? p95) !== undefined,
    "write at least one of `cpu: 60%`, `requests: 50` (a second and instance) and `p95: 200ms`",
  );

/** Kept for the issue that acts on it: any value is taken, with a warning. */
const later = z.unknown().optional();

export const manifestFile = z.strictObject({
  service: serviceName,
  owner: textValue.pipe(z.string().min(1).max(100)).optional(),
  http: z
    .union([
      z.strictObject({ port, health: healthPath.optional() }),
      port.transform((number) => ({ port: number, health: undefined })),
    ])
    .optional(),
  port: port.optional(),
  needs: z.array(serviceName).max(100).optional(),
  uses: z.array(serviceName).max(100).optional(),
  secrets: z.array(secret).max(100).optional(),
  shared: z.array(sharedPath).max(50).optional(),
  variables: variables.optional(),
  run: z
    .strictObject({
      cpu: numberValue.pipe(z.number().min(0.01, "at least 0.01").max(256, "at most 256")).optional(),
      memory: byteSize.pipe(z.int().min(6 * 2 ** 20, "at least 6Mi")).optional(),
      instances: instances.optional(),
      command: argumentList.optional(),
      scale: scale.optional(),
    })
    .optional(),
  release: release.optional(),
  image: z
    .strictObject({
      context: contextPath.optional(),
      dockerfile: repositoryPath.optional(),
      args: z.record(variableName, textValue).optional(),
    })
    .optional(),
  watch: later,
});

export type ManifestFile = z.output<typeof manifestFile>;
