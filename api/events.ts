/**
 * Every event of the platform. Names are in the past tense; the number is the version of the payload: a change of
 * shape is a new version beside the old one, because the events table is also the audit log.
 * `subject` (given at `emit`) is what deliveries are ordered by: the repository, build, release or deployment.
 */
import { z } from "zod";
import {
  branchName,
  digest,
  environmentName,
  ingressName,
  repositoryName,
  revision,
  serviceName,
  uuid,
} from "./names.ts";
import { programEnds } from "./programs.ts";

const ref = z.object({
  repository: repositoryName,
  /** Full name, `refs/heads/main`. */
  ref: z.string(),
  /** Absent when the ref was made. */
  before: revision.optional(),
  /** Absent when the ref was deleted. */
  after: revision.optional(),
  /** User who pushed or merged; absent when found by reconciliation. */
  actor: z.string().optional(),
});

const build = z.object({
  build: uuid,
  repository: repositoryName,
  number: z.int().positive(),
  branch: branchName,
  commit: revision,
  /** Set for the build of a tag; the branch is then its name too. */
  tag: z.string().optional(),
  /** Of its service, where the repository has several. */
  folder: z.string().optional(),
});

const release = z.object({ release: uuid, service: serviceName, number: z.int().positive(), digest, commit: revision });

const deployment = z.object({
  deployment: uuid,
  service: serviceName,
  environment: environmentName,
  /** Absent when there was none to deploy. */
  release: z.int().positive().optional(),
});

/** Absent where the server itself did it. */
const actor = z.string().optional();

const program = z.object({
  program: uuid,
  /** Or the name of a backing service. */
  service: serviceName,
  environment: environmentName,
  instance: z.string(),
  actor: z.string(),
});

export const outcomes = ["passed", "failed", "canceled"] as const;

/** How a deployment ended. `unknown` is not an end: it asks for a look at what really runs. */
export const deploymentOutcomes = ["succeeded", "rolled-back", "failed", "canceled", "superseded"] as const;

export const eventCatalogue = {
  "access.user-created": z.object({ user: z.string(), role: z.string(), actor }),
  "access.role-changed": z.object({ user: z.string(), role: z.string(), actor }),
  "access.token-created": z.object({ user: z.string(), token: uuid, name: z.string(), actor }),
  "access.token-revoked": z.object({ token: uuid, actor }),
  "access.password-set": z.object({ user: z.string(), sessionsEnded: z.int(), actor: z.string() }),
  "source.repository-created": z.object({ repository: repositoryName, actor: z.string().optional() }),
  /** The rules that now hold. */
  "source.repository-changed": z.object({
    repository: repositoryName,
    allowDirectPush: z.boolean(),
    requiredApprovals: z.int(),
    requireBuild: z.boolean(),
    actor: z.string(),
  }),
  "source.ref-changed": ref,
  "source.pull-request-opened": z.object({
    repository: repositoryName,
    number: z.int(),
    branch: branchName,
    head: revision,
    actor,
  }),
  /** `user` did it, who is the actor too, by whom it is found. */
  "source.pull-request-approved": z.object({ repository: repositoryName, number: z.int(), user: z.string(), actor }),
  "source.changes-requested": z.object({ repository: repositoryName, number: z.int(), user: z.string(), actor }),
  /** How a build of this commit stands was noted, so what waits for it shows otherwise now. */
  "source.check-changed": z.object({ repository: repositoryName, commit: revision }),
  /** `user` had asked for them. */
  "source.change-request-withdrawn": z.object({
    repository: repositoryName,
    number: z.int(),
    user: z.string(),
    actor: z.string(),
  }),
  "source.comment-added": z.object({ repository: repositoryName, number: z.int(), comment: uuid, actor: z.string() }),
  /** What it said is gone from the pull request. */
  "source.comment-removed": z.object({
    repository: repositoryName,
    number: z.int(),
    comment: uuid,
    author: z.string(),
    actor: z.string(),
  }),
  "source.pull-request-merged": z.object({
    repository: repositoryName,
    number: z.int(),
    commit: revision,
    actor: z.string().optional(),
  }),
  "source.pull-request-closed": z.object({
    repository: repositoryName,
    number: z.int(),
    actor: z.string().optional(),
  }),
  "fleet.service-changed": z.object({ service: serviceName, commit: revision }),
  /** Its file says something else than before, or is there no more. */
  "fleet.environment-changed": z.object({ environment: environmentName, commit: revision }),
  "fleet.secret-changed": z.object({
    service: z.string(),
    environment: z.string(),
    name: z.string(),
    change: z.enum(["set", "deleted"]),
    actor: z.string(),
  }),
  /** Whatever is sealed with an older key is to be sealed anew. */
  "fleet.key-rotated": z.object({ key: z.string(), actor: z.string() }),
  "builds.build-created": build,
  /** `until` is null when the quarantine was ended. */
  "builds.test-quarantine-changed": z.object({
    repository: repositoryName,
    test: z.int(),
    scope: z.string(),
    name: z.string(),
    until: z.iso.datetime().nullable(),
    actor: z.string(),
  }),
  /** `ofServices`: nothing kept it from passing but the builds of services that it started. */
  "builds.build-finished": build.extend({ outcome: z.enum(outcomes), ofServices: z.literal(true).optional() }),
  /**
   * What a build of a repository with several services says of one of them: that it waits for its build (no outcome), or that
   * it needs none. `number` is that of the service's own build where there is one.
   */
  "builds.service-checked": build.extend({
    of: z.object({ folder: z.string(), service: z.string(), number: z.int().positive(), build: uuid }),
    outcome: z.enum(outcomes).optional(),
    reason: z.string().optional(),
  }),
  "builds.job-finished": z.object({
    build: uuid,
    job: uuid,
    key: z.string(),
    attempt: z.int(),
    outcome: z.enum(outcomes),
  }),
  /** A `publish` step pushed its image: the material of a release. */
  "builds.image-published": build.extend({ service: serviceName, digest, image: z.string() }),
  /** A `deploy` step is ready to go and waits for `deployments.deployment-finished` with the same `request`. */
  "builds.deploy-requested": build.extend({
    request: uuid,
    service: serviceName,
    environment: environmentName,
    actor: z.string().optional(),
  }),
  "builds.deploy-canceled": z.object({ request: uuid }),
  "builds.trigger-changed": z.object({
    repository: repositoryName,
    trigger: z.enum(["schedule", "webhook"]),
    name: z.string(),
    change: z.enum(["set", "removed"]),
    actor: z.string(),
  }),
  "images.manifest-pushed": z.object({
    repository: z.string(),
    digest: z.string(),
    tags: z.array(z.string()),
    actor: z.string(),
  }),
  /** A tag was removed, or a manifest by its digest with all of its tags. */
  "images.manifest-deleted": z.object({
    repository: z.string(),
    tag: z.string().optional(),
    digest: z.string().optional(),
    actor: z.string(),
  }),
  /** A version that serves somewhere, or the newest of its main branch, has not verified what a consumer asks of it now. */
  "contracts.verification-wanted": z.object({
    provider: serviceName,
    commit: revision,
    consumer: z.string(),
    /** Where the pact stands, below the broker's root. */
    pact: z.string(),
  }),
  /** The provider's version keeps what a consumer asks of it, or does not. */
  "contracts.verified": z.object({
    provider: z.string(),
    version: z.string(),
    consumer: z.string(),
    success: z.boolean(),
  }),
  "contracts.webhook-changed": z.object({
    webhook: z.string(),
    change: z.enum(["set", "removed"]),
    actor: z.string(),
  }),
  "releases.release-created": release.extend({ build: uuid }),
  /** Its bill of materials, provenance and signature are attached to its image; or why they could not be made. */
  "attestations.release-attested": release.extend({
    outcome: z.enum(["made", "failed"]),
    reason: z.string().optional(),
  }),
  /** Ids of the key that signs from now on, and of the one before it. */
  "attestations.key-rotated": z.object({ key: z.string(), before: z.string().nullable(), actor: z.string() }),
  /** No environment needs its image any more, and newer ones are kept: the image goes, the record stays. */
  "deployments.release-retired": release.extend({ repository: z.string() }),
  /** A route was closed for a while, or opened again. */
  "routing.mode-changed": z.object({
    service: serviceName,
    environment: environmentName,
    mode: z.enum(["open", "maintenance", "paused"]),
    until: z.iso.datetime().optional(),
    reason: z.string().optional(),
    actor: z.string(),
  }),
  "routing.ingress-created": z.object({ ingress: ingressName, actor: z.string() }),
  "routing.ingress-removed": z.object({ ingress: ingressName, actor: z.string() }),
  "routing.ingress-joined": z.object({ ingress: ingressName }),
  "routing.ingress-lost": z.object({ ingress: ingressName, reason: z.string() }),
  "deployments.deployment-created": deployment.extend({ request: uuid.optional(), actor }),
  "deployments.deployment-changed": deployment.extend({ phase: z.string() }),
  /** Which commits serve there, come or go: the one with the traffic first, then the one that a rollout takes from or brings. */
  "deployments.serving-changed": z.object({
    service: serviceName,
    environment: environmentName,
    commits: z.array(revision).max(2),
  }),
  "deployments.sign-off-changed": z.object({
    service: serviceName,
    environment: environmentName,
    release: z.int().positive(),
    digest,
    signOff: z.string(),
    change: z.enum(["given", "withdrawn"]),
    actor: z.string(),
  }),
  /** What runs is not what should run; it is repaired. */
  "deployments.drift-found": z.object({
    service: serviceName,
    environment: environmentName,
    drift: z.array(z.string()),
  }),
  "deployments.backing-changed": z.object({
    environment: environmentName,
    name: serviceName,
    change: z.enum(["replaced", "removed", "backup", "restore", "downloaded"]),
    actor: z.string(),
    /** Of backups and restores. */
    work: uuid.optional(),
    from: uuid.optional(),
    outcome: z.enum(["started", "succeeded", "failed", "canceled"]).optional(),
    reason: z.string().optional(),
  }),
  /** An instance that serves ended by itself, and the engine started it again; told at the first, second, fourth, eighth … time. */
  "deployments.instance-restarted": z.object({
    service: serviceName,
    environment: environmentName,
    instance: z.string(),
    restarts: z.int().positive(),
    words: z.string(),
  }),
  /** Somebody runs a program inside of an instance; values of secrets in its words are masked. */
  "deployments.program-begun": program.extend({
    command: z.array(z.string()),
    reason: z.string(),
    terminal: z.boolean(),
  }),
  /** `exitCode` where it exited by itself. */
  "deployments.program-ended": program.extend({
    end: z.enum(programEnds),
    exitCode: z.int().optional(),
    reason: z.string().optional(),
    milliseconds: z.int(),
  }),
  /** The load asks for another number of instances. */
  "deployments.scaled": z.object({
    service: serviceName,
    environment: environmentName,
    from: z.int(),
    to: z.int(),
    reason: z.string(),
  }),
  /** One that was taken away had open requests when its time to finish them was over, or one could not be started. */
  "deployments.scaling-troubled": z.object({
    service: serviceName,
    environment: environmentName,
    instance: z.string(),
    trouble: z.string(),
  }),
  /** `*` stands for all services, or all environments. */
  "deployments.lock-changed": z.object({
    service: z.string(),
    environment: z.string(),
    fence: z.int(),
    reason: z.string(),
    until: z.iso.datetime().optional(),
    change: z.enum(["locked", "unlocked"]),
    actor: z.string(),
  }),
  /** The environment of a pull request is gone, and with it whatever needs these releases. */
  "deployments.preview-ended": z.object({
    environment: environmentName,
    repository: repositoryName,
    pullRequest: z.int(),
    reason: z.string(),
    releases: z.array(z.object({ service: serviceName, number: z.int().positive() })),
  }),
  /** Its file was gone, and somebody said that what served there is to end. */
  "deployments.environment-removed": z.object({
    environment: environmentName,
    services: z.array(serviceName),
    actor: z.string(),
  }),
  /** No repository described it any more, and somebody said that it is to end. */
  "deployments.service-removed": z.object({
    service: serviceName,
    environments: z.array(environmentName),
    actor: z.string(),
  }),
  "deployments.freeze-overridden": deployment.extend({ freeze: z.string(), reason: z.string(), actor: z.string() }),
  /** Its instances got these values. */
  "deployments.secrets-read": deployment.extend({
    secrets: z.array(z.object({ name: z.string(), version: z.int() })),
  }),
  "deployments.deployment-finished": deployment.extend({
    request: uuid.optional(),
    repository: repositoryName.optional(),
    commit: revision.optional(),
    outcome: z.enum(deploymentOutcomes),
    reason: z.string().optional(),
  }),
} as const satisfies Record<string, z.ZodObject>;

export type EventName = keyof typeof eventCatalogue;
export type EventPayload<N extends EventName> = z.output<(typeof eventCatalogue)[N]>;
