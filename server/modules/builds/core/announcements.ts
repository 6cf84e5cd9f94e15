/** What the platform learns from what happened in a build. */
import type { EventName, EventPayload, outcomes } from "#api/events.ts";
import type { BuildEvent } from "#pipeline/machine/event.ts";
import type { BuildState, StepOutcome } from "#pipeline/machine/state.ts";

export type Announcement = { [N in EventName]: { name: N; payload: EventPayload<N> } }[
  | "builds.build-finished"
  | "builds.job-finished"
  | "builds.image-published"
  | "builds.deploy-requested"];

export interface Announcing {
  build: { build: string; repository: string; number: number; branch: string; commit: string };
  service: string | null;
  state: BuildState;
  /** Id of the job of a step, for steps that run on an agent. */
  jobOf(step: string): string | undefined;
}

/** In the order of the events: an image always before the end of its build. */
export function announcements(events: readonly BuildEvent[], facts: Announcing): Announcement[] {
  return events.flatMap((event): Announcement[] => {
    if (event.type === "step-finished") return [...jobFinished(event, facts), ...imagePublished(event, facts)];
    if (event.type === "deploy-requested") return deployRequested(event, facts);
    if (event.type !== "build-finished") return [];
    return [{ name: "builds.build-finished", payload: { ...facts.build, outcome: event.outcome } }];
  });
}

type StepFinished = Extract<BuildEvent, { type: "step-finished" }>;

function jobFinished({ step, outcome }: StepFinished, { build, state, jobOf }: Announcing): Announcement[] {
  const job = jobOf(step);
  const attempt = state.steps[step]?.attempts.length ?? 0;
  if (!job || attempt === 0) return [];
  const payload = { build: build.build, job, key: step, attempt, outcome: jobOutcomes[outcome] };
  return [{ name: "builds.job-finished", payload }];
}

const jobOutcomes: Record<StepOutcome, (typeof outcomes)[number]> = {
  passed: "passed",
  "soft-failed": "passed",
  failed: "failed",
  "timed-out": "failed",
  broken: "failed",
  superseded: "canceled",
  canceled: "canceled",
  skipped: "canceled",
};

function imagePublished({ step, outcome }: StepFinished, { build, service, state }: Announcing): Announcement[] {
  const isPublish = state.plan.steps.some(({ key, kind }) => key === step && kind === "publish");
  const { digest, image } = state.steps[step]?.attempts.at(-1)?.outputs ?? {};
  if (!isPublish || outcome !== "passed" || !service || !digest || !image) return [];
  return [{ name: "builds.image-published", payload: { ...build, service, digest, image } }];
}

type DeployRequested = Extract<BuildEvent, { type: "deploy-requested" }>;

function deployRequested(event: DeployRequested, { build, service }: Announcing): Announcement[] {
  const { request, environment, actor } = event;
  if (!service) throw new Error("a build without a service asked for a deployment");
  const payload = { ...build, request, service, environment, ...(actor ? { actor } : {}) };
  return [{ name: "builds.deploy-requested", payload }];
}
