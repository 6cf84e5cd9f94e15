/** `towline.yml`: what a service is, what it needs, how it runs and how it is released. */
import { z } from "zod";
import { serviceName, variableName } from "#api/names.ts";

const words = z.array(z.string().min(1)).min(1);

/** A manifest as stored in a release: every default filled in, durations in milliseconds, sizes in bytes. */
export const manifestSchema = z.object({
  service: serviceName,
  owner: z.string().optional(),
  /** Port the process listens on; it also gets it as `PORT`. */
  port: z.int().min(1).max(65_535),
  /** Path that answers 2xx when an instance can serve. */
  health: z.string(),
  /** Services it calls, each reachable as `<SERVICE>_URL`. */
  needs: z.array(serviceName),
  /** Backing services of the environment, each reachable as `<NAME>_URL`. */
  uses: z.array(serviceName),
  /** Names of secrets that become variables of the same name. */
  secrets: z.array(variableName),
  variables: z.record(variableName, z.string()),
  run: z.object({
    /** Cores; may be a fraction. */
    cpu: z.number().positive(),
    /** Bytes. */
    memory: z.int().positive(),
    instances: z.object({ min: z.int().min(1), max: z.int().min(1) }),
    /** Arguments in place of the image's own command. */
    command: words.optional(),
  }),
  release: z.object({
    strategy: z.literal("rolling"),
    /** Command run in the new image before its instances start. */
    migrate: words.optional(),
    /** Milliseconds that an old instance gets to end its open requests. */
    drain: z.int().min(0),
  }),
  /** How the image is built: paths in the repository. */
  image: z.object({
    context: z.string(),
    dockerfile: z.string(),
    args: z.record(z.string(), z.string()),
  }),
});

export type Manifest = z.output<typeof manifestSchema>;
