import { z } from "zod";
import { anyRole, developing, endpoints, leading } from "../endpoint.ts";
import { deploymentOutcomes } from "../events.ts";
import { backing } from "./backing.ts";
import { digest, environmentName, repositoryName, revision, serviceName, uuid } from "../names.ts";

const time = z.iso.datetime();
const place = z.object({ service: serviceName, environment: environmentName });

export const deploymentStates = ["waiting", "running", "finished"] as const;

/** Why a deployment waits, for machines and in words. */
const wait = z.object({
  kind: z.enum(["queued", "deployment", "order", "gate"]),
  /** The deployment that goes first. */
  deployment: uuid.optional(),
  message: z.string(),
});

export const deployment = place.extend({
  id: uuid,
  kind: z.enum(["deploy", "rollback"]),
  /** Null when there was no release to deploy. */
  release: z.int().positive().nullable(),
  commit: revision.nullable(),
  digest: digest.nullable(),
  state: z.enum(deploymentStates),
  phase: z.string().nullable(),
  /** What the phase waits for just now. */
  detail: z.string().nullable(),
  wait: wait.nullable(),
  outcome: z.enum(deploymentOutcomes).nullable(),
  /** Why it ended that way; null for a plain success. */
  reason: z.string().nullable(),
  actor: z.string().nullable(),
  /** Who holds back its traffic, until it is promoted. */
  pausedBy: z.string().nullable(),
  build: uuid.nullable(),
  /** Freezes that somebody let it pass. */
  overrides: z.array(z.object({ freeze: z.string(), reason: z.string(), by: z.string(), at: time })),
  createdAt: time,
  startedAt: time.nullable(),
  /** When all new requests went to it. */
  liveAt: time.nullable(),
  finishedAt: time.nullable(),
});

const step = z.object({
  phase: z.string(),
  startedAt: time,
  finishedAt: time.nullable(),
  milliseconds: z.int().nonnegative().nullable(),
  detail: z.string().nullable(),
});

const cell = z.object({
  environment: environmentName,
  /** Null where no release serves. */
  release: z.int().positive().nullable(),
  commit: revision.nullable(),
  digest: digest.nullable(),
  /** Since when this release serves. */
  since: time.nullable(),
  url: z.string().nullable(),
  /** `healthy`: those that are known to be; null when the host or the balancer does not answer. */
  instances: z.object({ healthy: z.int().nullable(), wanted: z.int() }),
  /** Null while it is not known of an instance and none is known to be ill, as when no check has ended yet. */
  healthy: z.boolean().nullable(),
  /** Null where the number of instances is fixed. `why`: what was measured last, in words. */
  scale: z.object({ min: z.int(), max: z.int(), arriving: z.int(), leaving: z.int(), why: z.string() }).nullable(),
  running: deployment.nullable(),
  waiting: z.array(deployment),
  /** The last one that ended. */
  last: deployment.nullable(),
  /** What a deployment of the release that serves would change: variables and secrets that are others now. */
  pending: z.array(z.string()),
  /** What runs otherwise than it should, in words; it is repaired within seconds. */
  drift: z.array(z.string()),
  /** Instances that ended by themselves since they began to serve, in words; the engine starts them again. */
  restarted: z.array(z.string()),
  /** Null while the route is open. */
  closed: z.object({ mode: z.enum(["maintenance", "paused"]), until: time }).nullable(),
  /** People's locks that hold all deployments here. */
  locks: z.array(z.object({ what: z.string(), owner: z.string(), reason: z.string(), until: time })),
});

const preview = z.object({
  environment: environmentName,
  repository: repositoryName,
  pullRequest: z.int().positive(),
  /** When it ends, unless a newer release comes. */
  expiresAt: time,
  /** Why it ends or has ended; null while it is to stand. */
  ending: z.string().nullable(),
  endedAt: time.nullable(),
  services: z.array(
    z.object({
      service: serviceName,
      /** Of the newest deployment. */
      release: z.int().positive().nullable(),
      commit: revision.nullable(),
      /** `waiting`, the phase that runs, or how it ended. */
      state: z.string(),
      reason: z.string().nullable(),
      url: z.string().nullable(),
    }),
  ),
});
export type Preview = z.output<typeof preview>;

export const gate = z.object({
  ...{ gate: z.string(), open: z.boolean(), reason: z.string() },
  /** Of the gate `contracts`; `none`: none are declared. */
  answer: z.enum(["yes", "no", "unknown", "none"]).optional(),
});

const request = z.strictObject({
  ...place.shape,
  release: z.int().positive().optional().describe("Number of the release."),
  request: uuid
    .optional()
    .describe(
      "Made by who asks. Asked again with it, as after an answer that was lost, it answers what it made before.",
    ),
});

const override = z.strictObject({ freeze: z.string().min(1).max(40), reason: z.string().trim().min(3).max(500) });

const fate = z.object({
  place: z.enum(["host", "registry"]),
  service: z.string(),
  name: z.string(),
  bytes: z.number().nullable(),
  goes: z.boolean(),
  why: z.string(),
});

export const deploymentEndpoints = endpoints({
  planCleaning: {
    method: "GET",
    path: "/api/cleaning",
    summary: "Images on the host and in the registry: which may go, why the others stay, and how full the disk is.",
    auth: { roles: anyRole },
    response: z.object({
      /** Which releases' images stay in the registry, in words. */
      rule: z.string(),
      images: z.array(fate),
      /** Bytes; null where nobody looks. */
      disk: z.object({ free: z.number(), mark: z.number(), floor: z.number() }).nullable(),
    }),
  },
  cleanImages: {
    method: "POST",
    path: "/api/cleaning",
    summary: "Remove the images that nothing needs now, as is done every hour.",
    auth: { roles: leading },
    response: z.object({ removed: z.array(fate), freed: z.number() }),
  },
  getStatus: {
    method: "GET",
    path: "/api/status",
    summary: "The fleet matrix: what serves where, how well, and what is on its way or waits, and why.",
    auth: { roles: anyRole },
    response: z.object({
      environments: z.array(environmentName),
      /** What serves still though its file is gone. */
      left: z.object({
        environments: z.array(z.object({ environment: environmentName, services: z.array(serviceName) })),
        services: z.array(z.object({ service: serviceName, environments: z.array(environmentName) })),
      }),
      /** Environments of pull requests of which something may be left. */
      previews: z.array(preview),
      backings: z.array(backing),
      services: z.array(z.object({ service: serviceName, owner: z.string().nullable(), cells: z.array(cell) })),
    }),
  },
  listDeployments: {
    method: "GET",
    path: "/api/deployments",
    summary: "Deployments, newest first.",
    auth: { roles: anyRole },
    query: z.object({
      service: serviceName.optional(),
      environment: environmentName.optional(),
      state: z.enum(deploymentStates).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    response: z.object({ deployments: z.array(deployment) }),
  },
  showDeployment: {
    method: "GET",
    path: "/api/deployments/:id",
    summary: "One deployment with the timeline of its steps.",
    auth: { roles: anyRole },
    params: z.object({ id: uuid }),
    response: deployment.extend({ steps: z.array(step) }),
    errors: ["not-found"],
  },
  createDeployment: {
    method: "POST",
    path: "/api/deployments",
    summary:
      "Deploy a release, the newest unless a number is given. Leads only where an environment comes after another.",
    auth: { roles: developing },
    body: request.extend({
      override: override
        .optional()
        .describe("Leads only: lets it pass a freeze, by the freeze's name and with a reason."),
    }),
    response: deployment,
    errors: [
      "auth.forbidden",
      "not-found",
      "release.none",
      "release.preview-only",
      "deployment.gate-closed",
      "deployment.superseded",
    ],
  },
  rollBack: {
    method: "POST",
    path: "/api/rollbacks",
    summary:
      "Deploy an older release that served there before; the one before the present one unless a number is given.",
    auth: { roles: developing },
    body: request,
    response: deployment,
    errors: ["auth.forbidden", "not-found", "release.none", "release.preview-only", "deployment.gate-closed"],
  },
  cancelDeployment: {
    method: "POST",
    path: "/api/deployments/:id/cancel",
    summary: "Cancel a deployment in any phase: what served before serves on.",
    auth: { roles: developing },
    params: z.object({ id: uuid }),
    response: deployment,
    errors: ["auth.forbidden", "not-found", "deployment.wrong-state"],
  },
  pauseDeployment: {
    method: "POST",
    path: "/api/deployments/:id/pause",
    summary: "Hold back the traffic of a rollout where it is, until it is promoted or canceled.",
    auth: { roles: developing },
    params: z.object({ id: uuid }),
    response: deployment,
    errors: ["auth.forbidden", "not-found", "deployment.wrong-state"],
  },
  promoteDeployment: {
    method: "POST",
    path: "/api/deployments/:id/promote",
    summary: "Let a rollout that holds or is paused go on to its next share of the traffic.",
    auth: { roles: developing },
    params: z.object({ id: uuid }),
    response: deployment,
    errors: ["auth.forbidden", "not-found", "deployment.wrong-state"],
  },
  setRouteMode: {
    method: "POST",
    path: "/api/services/:service/environments/:environment/route-mode",
    summary: "Close a route for a while (a page of maintenance, or a pause that holds requests), or open it again.",
    auth: { roles: developing },
    params: place,
    body: z.strictObject({
      mode: z.enum(["open", "maintenance", "paused"]),
      /** Until it opens by itself: at most seven days of maintenance, five minutes of a pause. */
      seconds: z.int().min(1).max(604_800).optional(),
      reason: z.string().max(500).optional(),
    }),
    response: z.object({ mode: z.enum(["open", "maintenance", "paused"]), until: time.nullable() }),
    errors: ["auth.forbidden", "not-found", "request.invalid"],
  },
  listPreviews: {
    method: "GET",
    path: "/api/previews",
    summary: "Environments of pull requests, those that ended too, newest first.",
    auth: { roles: anyRole },
    query: z.object({
      repository: repositoryName.optional(),
      pullRequest: z.coerce.number().int().positive().optional(),
    }),
    response: z.object({ previews: z.array(preview) }),
  },
  planDeployment: {
    method: "GET",
    path: "/api/plan",
    summary: "What a deployment would change, and which gates it would meet.",
    auth: { roles: anyRole },
    query: z.object({ ...place.shape, release: z.coerce.number().int().positive().optional() }),
    response: z.object({
      ...place.shape,
      release: z.int().positive(),
      commit: revision,
      /** Of the image. */
      digest,
      /** The release that serves there now. */
      from: z.int().positive().nullable(),
      /** The one that served before it, to which a rollback goes. */
      back: z.int().positive().nullable(),
      /** Variables by name only, secrets by the number of their value. */
      changes: z.array(z.object({ path: z.string(), before: z.string().nullable(), after: z.string().nullable() })),
      /** Those that the commits name. */
      stories: z.array(z.string()),
      commits: z.array(z.object({ revision, author: z.string(), message: z.string(), at: time })),
      gates: z.array(gate),
      /** What else to know before it begins, a sentence each. */
      risks: z.array(z.string()),
    }),
    errors: ["not-found", "release.none", "release.preview-only"],
  },
  planTogether: {
    method: "GET",
    path: "/api/plan/together",
    summary:
      "The order in which releases of several services may go to an environment, so that no moment breaks a contract.",
    auth: { roles: anyRole },
    query: z.object({
      environment: place.shape.environment,
      releases: z
        .string()
        .max(2_000)
        .transform((text) => text.split(","))
        .pipe(
          z
            .array(z.string().regex(/^[a-z0-9][a-z0-9-]*(#[1-9]\d{0,8})?$/, "service or service#release"))
            .min(1)
            .max(50),
        )
        .describe("`catalog#3,orders`; without a number the newest."),
    }),
    response: z.object({
      environment: place.shape.environment,
      /** Where there is no order: as many as can go. */
      order: z.array(z.object({ service: serviceName, release: z.int(), from: z.int().nullable() })),
      /** Those that then cannot go; empty where there is an order. */
      stuck: z.array(z.object({ service: serviceName, release: z.int(), reasons: z.array(z.string()) })),
    }),
    errors: ["not-found", "release.none", "request.invalid"],
  },
  instanceLogs: {
    method: "GET",
    path: "/api/services/:service/environments/:environment/logs",
    summary: "The last lines of the instances that serve.",
    auth: { roles: anyRole },
    params: place,
    query: z.object({ lines: z.coerce.number().int().min(1).max(1000).default(100) }),
    response: z.object({
      instances: z.array(z.object({ instance: z.string(), state: z.string(), lines: z.array(z.string()) })),
    }),
    errors: ["not-found", "host.docker-missing"],
  },
});
