import { z } from "zod";
import { anyRole, developing, endpoints, leading } from "../endpoint.ts";
import { digest, environmentName, serviceName, uuid } from "../names.ts";
import { deployment } from "./deployments.ts";

const time = z.iso.datetime();
const number = z.int().positive();
const signOffName = z.string().min(1).max(40);
const reason = z.string().trim().min(3, "say why").max(500);

/** `*` stands for all services, or all environments. */
const lockedService = z.union([z.literal("*"), serviceName]).default("*");
const lockedEnvironment = z.union([z.literal("*"), environmentName]).default("*");

export const placeLock = z.object({
  service: z.string(),
  environment: z.string(),
  /** Rises with every lock. */
  fence: number,
  owner: z.string(),
  reason: z.string(),
  at: time,
  until: time,
});

const signOff = z.object({
  service: serviceName,
  environment: environmentName,
  release: number,
  digest,
  signOff: z.string(),
  user: z.string(),
  note: z.string().nullable(),
  at: time,
  /** False once a newer release of the service was deployed there. */
  counts: z.boolean(),
});

const word = z.strictObject({
  environment: environmentName,
  releases: z
    .array(z.strictObject({ service: serviceName, release: number }))
    .min(1)
    .max(50),
  name: signOffName.optional().describe("Of the environment's sign-offs; needed where you may give several."),
});

export const gateEndpoints = endpoints({
  approveReleases: {
    method: "POST",
    path: "/api/sign-offs",
    summary: "Sign off one release or a set of releases for an environment; all of them or none.",
    auth: { roles: anyRole },
    body: word.extend({ note: z.string().trim().min(1).max(500).optional() }),
    response: z.object({ signOff: z.string() }),
    errors: ["auth.forbidden", "not-found", "release.none", "sign-off.own"],
  },
  withdrawSignOffs: {
    method: "POST",
    path: "/api/sign-offs/withdraw",
    summary: "Take back your own sign-offs; a deployment that began already goes on.",
    auth: { roles: anyRole },
    body: word,
    response: z.object({ withdrawn: z.int() }),
    errors: ["not-found", "release.none"],
  },
  listSignOffs: {
    method: "GET",
    path: "/api/sign-offs",
    summary: "Sign-offs that were not withdrawn, newest first.",
    auth: { roles: anyRole },
    query: z.object({
      service: serviceName.optional(),
      environment: environmentName.optional(),
      release: z.coerce.number().int().positive().optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    response: z.object({ signOffs: z.array(signOff) }),
  },
  lockPlace: {
    method: "POST",
    path: "/api/locks",
    summary:
      "Hold every deployment to a service, to an environment, or to one in the other, for a time and with a reason.",
    auth: { roles: developing },
    body: z.strictObject({
      service: lockedService,
      environment: lockedEnvironment,
      reason,
      seconds: z
        .int()
        .min(60, "at least a minute")
        .max(7 * 24 * 60 * 60, "at most 7 days"),
    }),
    response: placeLock,
    errors: ["conflict", "not-found"],
  },
  unlockPlace: {
    method: "DELETE",
    path: "/api/locks",
    summary: "Take a lock away; its owner or an admin may.",
    auth: { roles: developing },
    query: z.object({
      service: lockedService,
      environment: lockedEnvironment,
      fence: z.coerce.number().int().positive().optional().describe("Only if the lock is still this one."),
    }),
    response: z.object({ unlocked: z.literal(true) }),
    errors: ["auth.forbidden", "lease.stale", "not-found"],
  },
  listLocks: {
    method: "GET",
    path: "/api/locks",
    summary: "The locks that hold now.",
    auth: { roles: anyRole },
    response: z.object({ locks: z.array(placeLock) }),
  },
  overrideFreeze: {
    method: "POST",
    path: "/api/deployments/:id/override",
    summary: "Let a waiting deployment pass a freeze, by the freeze's name and with a reason.",
    auth: { roles: leading },
    params: z.object({ id: uuid }),
    body: z.strictObject({ freeze: z.string().min(1).max(40), reason }),
    response: deployment,
    errors: ["auth.forbidden", "not-found", "deployment.wrong-state"],
  },
});
