import { z } from "zod";
import { administering, anyRole, endpoints, leading } from "../endpoint.ts";
import { environmentName, repositoryName, revision, serviceName, variableName } from "../names.ts";

const service = z.object({
  name: serviceName,
  repository: repositoryName,
  folder: z.string().describe("Where it stands in its repository; empty for the whole of it."),
  goneAt: z.iso.datetime().nullable().describe("Since when its repository describes it no more; it may still run."),
  owner: z.string().nullable(),
  commit: revision,
  needs: z.array(z.string()),
  uses: z.array(z.string()),
});

const environment = z.object({
  name: environmentName,
  commit: revision,
  target: z.string().nullable(),
  after: z.string().nullable(),
  backing: z.array(z.string()),
  /** Why the newest commit was not taken; the definition before it stays in force. */
  faults: z.array(z.object({ message: z.string(), file: z.string(), line: z.int(), column: z.int() })),
});

/** `*` stands for all services or all environments; `builds` for the jobs of the service's builds. */
const secretService = z.union([z.literal("*"), serviceName]);
const secretEnvironment = z.union([z.literal("*"), z.literal("builds"), environmentName]);

const secretName = z.object({
  service: secretService.default("*"),
  environment: secretEnvironment.default("*"),
  name: variableName,
});

export const fleetEndpoints = endpoints({
  listServices: {
    method: "GET",
    path: "/api/services",
    summary: "The services of the fleet, as their default branches describe them.",
    auth: { roles: anyRole },
    response: z.object({ services: z.array(service) }),
  },
  showService: {
    method: "GET",
    path: "/api/services/:service",
    summary: "A service with its manifest as it was read, and who needs it.",
    auth: { roles: anyRole },
    params: z.object({ service: serviceName }),
    response: service.extend({
      /** `towline.yml` at the head of the default branch, every default filled in. */
      manifest: z.record(z.string(), z.unknown()),
      /** The file itself at that commit; null where the repository has that no more. */
      manifestText: z.string().nullable(),
      neededBy: z.array(serviceName),
    }),
    errors: ["not-found"],
  },
  listEnvironments: {
    method: "GET",
    path: "/api/environments",
    summary: "The environments in the order of promotion.",
    auth: { roles: anyRole },
    response: z.object({ environments: z.array(environment) }),
  },
  setSecret: {
    method: "PUT",
    path: "/api/secrets",
    summary: "Set a secret; running instances get it with their next deployment.",
    auth: { roles: leading },
    body: z.strictObject({
      ...secretName.shape,
      value: z
        .string()
        .min(1)
        .max(64 * 1024),
    }),
    response: z.object({ set: z.literal(true) }),
  },
  listSecrets: {
    method: "GET",
    path: "/api/secrets",
    summary: "Names of the secrets; values are never shown.",
    auth: { roles: anyRole },
    response: z.object({
      secrets: z.array(
        z.object({
          ...{ service: z.string(), environment: z.string(), name: z.string() },
          /** Another number whenever the value is set. */
          version: z.int(),
          updatedAt: z.iso.datetime(),
        }),
      ),
    }),
  },
  showPublicKey: {
    method: "GET",
    path: "/api/secrets/public-key",
    summary: "The age key to which secrets in Git are encrypted.",
    auth: { roles: anyRole },
    response: z.object({ recipient: z.string() }),
  },
  rotateKey: {
    method: "POST",
    path: "/api/secrets/rotate-key",
    summary: "Make a new key and encrypt all secrets with it; values and their versions stay the same.",
    auth: { roles: administering },
    response: z.object({
      /** Name of the new key, as it stands in every value. */
      key: z.string(),
      resealed: z.int(),
    }),
  },
  deleteSecret: {
    method: "DELETE",
    path: "/api/secrets",
    summary: "Remove a secret.",
    auth: { roles: leading },
    query: secretName,
    response: z.object({ deleted: z.literal(true) }),
    errors: ["not-found"],
  },
});
