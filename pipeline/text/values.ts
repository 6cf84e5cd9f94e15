/** Shapes of single values as people write them. */
import { z } from "zod";

/** A text; numbers and booleans are taken as they were written. */
export const textValue = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** A number, also when it was written in a form that the reader kept as text, or came out of an interpolation. */
export const numberValue = z.union([
  z.number(),
  z
    .string()
    .regex(/^[+-]?\d+(\.\d+)?$/, "write a number")
    .transform(Number),
]);

export const wholeNumber = numberValue.pipe(z.int());

/** True or false, also as the text that an interpolation leaves. */
export const flag = z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")]);

/** One text or a list of texts → a list. */
export const textList = z.union([textValue.transform((text) => [text]), z.array(textValue)]);

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `20s`, `500ms`, `2m`, `1h`, `1d` → milliseconds, at most 30 days. */
export const duration = z
  .string({ error: "write a duration with its unit, such as 20s or 2m" })
  .regex(/^\d{1,9}(ms|s|m|h|d)$/, "write a duration with its unit, such as 20s or 2m")
  .transform(toMilliseconds)
  .pipe(z.int().max(30 * units.d, "at most 30 days"));

function toMilliseconds(text: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  return Number(count) * units[unit as keyof typeof units];
}

const factors = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, k: 1e3, M: 1e6, G: 1e9, T: 1e12 } as const;

/** `256Mi`, `1Gi`, `512M` → bytes. */
export const byteSize = z
  .string({ error: "write a size with its unit, such as 256Mi" })
  .regex(/^\d{1,6}(Ki|Mi|Gi|Ti|k|M|G|T)$/, "write a size with its unit, such as 256Mi")
  .transform(toBytes);

function toBytes(text: string): number {
  const [, count, unit] = /^(\d+)(\w+)$/.exec(text) ?? [];
  return Number(count) * factors[unit as keyof typeof factors];
}

/** A path inside the repository: relative, never out of it. */
export const repositoryPath = z
  .string()
  .min(1)
  .max(400)
  .refine(
    (path) => !path.startsWith("/") && !path.startsWith("-"),
    "a path is relative to the repository and starts with no dash",
  )
  .refine((path) => !path.split(/[\\/]/).includes(".."), "a path may not leave the repository with `..`")
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  .refine((path) => !/[\u0000-\u001f\\]/.test(path), "a path has no backslash and no control characters");

/** What an image is built from: a folder, or `/` for the whole repository. */
export const contextPath = repositoryPath.or(z.literal("/"));
