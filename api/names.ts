/** Names that reach shells, paths, SQL or HAProxy's configuration are validated here, where they enter. */
import { z } from "zod";

/** A service: also a DNS label, a Docker name part and an image repository. */
export const serviceName = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/, "lower-case letters, digits and dashes, 1 to 40, starting with a letter");

/** An environment: also a DNS label. */
export const environmentName = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/, "lower-case letters, digits and dashes, 1 to 30, starting with a letter");

/** A machine that takes traffic has a name of the same form. */
export const ingressName = serviceName;

/** A repository has the same form as a service, so that one name serves both. */
export const repositoryName = serviceName;

export const userName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9._-]{0,38}[a-z0-9])?$/, "lower-case letters, digits, dots and dashes, 1 to 40");

/** Full object name of a Git commit. */
export const revision = z.string().regex(/^[0-9a-f]{40}$/, "a full 40-digit commit hash");

/** A branch name, stricter than Git's own rule: nothing a shell or a refspec could read as more. */
export const branchName = z
  .string()
  .max(200)
  .regex(/^(?!-)(?!.*(\.\.|\/\/|\.lock$|\/$))[A-Za-z0-9._/-]+$/, "letters, digits, dots, dashes and slashes");

/** Content digest as the OCI image specification writes it. */
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, "sha256: and 64 hex digits");

export const uuid = z.uuid();

/** Name of a variable as processes know it. */
export const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "letters, digits and underscores");
