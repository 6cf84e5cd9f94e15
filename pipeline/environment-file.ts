/** `environments/*.yml` of the fleet repository: target, rules and backing services of one place. */
import { z } from "zod";
import { environmentName, serviceName, variableName } from "#api/names.ts";

/** A service that the environment itself runs for others, such as a database. */
export const backingSchema = z.object({
  image: z.string(),
  port: z.int().min(1).max(65_535),
  /** Where the kept volume is mounted; absent when nothing is kept. `size` in bytes. */
  volume: z.object({ path: z.string(), size: z.int().positive().optional() }).optional(),
  /** Values may hold `${password}`, which is made once for each environment and backing service. */
  environment: z.record(variableName, z.string()),
  /** Template over `${host}`, `${port}` and `${password}`: what `<NAME>_URL` becomes. */
  url: z.string(),
});
export type Backing = z.output<typeof backingSchema>;

export const environmentFileSchema = z.object({
  name: environmentName,
  target: z.literal("docker"),
  domain: z.string().optional(),
  /** A release must have served in this environment first. */
  after: environmentName.optional(),
  /** Milliseconds for which a new release is watched before its deployment succeeds. */
  watch: z.int().min(0),
  variables: z.record(variableName, z.string()),
  backing: z.record(serviceName, backingSchema),
});

export type EnvironmentFile = z.output<typeof environmentFileSchema>;
