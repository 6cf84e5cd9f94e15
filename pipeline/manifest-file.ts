/** The shape of `towline.yml` as it is written; `manifest.ts` fills in what is left out. */
import { z } from "zod";
import { serviceName, variableName } from "#api/names.ts";
import { byteSize, duration, numberValue, repositoryPath, textValue, wholeNumber } from "./text/values.ts";

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

const strategies = ["rolling", "canary", "blue-green"] as const;

const strategy = z.enum(strategies).transform((name, context) => {
  if (name === "rolling") return name;
  const params = { fault: "manifest.not-supported", fix: "use `rolling`, or leave `strategy` out" };
  context.addIssue({ code: "custom", message: `the strategy \`${name}\` cannot be served yet`, params });
  return z.NEVER;
});

const variables = z.record(variableName, textValue);

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
  secrets: z.array(variableName).max(100).optional(),
  variables: variables.optional(),
  run: z
    .strictObject({
      cpu: numberValue.pipe(z.number().min(0.01, "at least 0.01").max(256, "at most 256")).optional(),
      memory: byteSize.pipe(z.int().min(6 * 2 ** 20, "at least 6Mi")).optional(),
      instances: instances.optional(),
      command: argumentList.optional(),
      scale: later,
    })
    .optional(),
  release: z
    .strictObject({ strategy: strategy.optional(), migrate: argumentList.optional(), drain: duration.optional() })
    .optional(),
  image: z
    .strictObject({
      context: repositoryPath.optional(),
      dockerfile: repositoryPath.optional(),
      args: z.record(variableName, textValue).optional(),
    })
    .optional(),
  watch: later,
});

export type ManifestFile = z.output<typeof manifestFile>;
