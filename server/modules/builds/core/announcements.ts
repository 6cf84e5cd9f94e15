/** What the platform learns from what happened in a build. */
import type { EventName, EventPayload, outcomes } from "#api/events.ts";
import type { BuildEvent } from "#pipeline/machine/event.ts";
import type { BuildState, StepOutcome } from "#pipeline/machine/state.ts";

export type Announcement = { [N in EventName]: { name: N; payload: EventPayload<N> } }[
  | "builds.build-finished"
  | "builds.service-checked"
  | "builds.job-finished"
  | "builds.image-published"
  | "builds.deploy-requested"];

export interface Announcing {
  build: { build: string; repository: string; number: number; branch: string; commit: string; folder?: string };
  service: string | null;
  state: BuildState;
  /** Id of the job of a step, for steps that run on an agent. */
  jobOf(step: string): string | undefined;
}

/** In the order of the events: an image always before the end of its build. */
export function announcements(events: readonly BuildEvent[], facts: Announcing): Announcement[] {
  return events.flatMap((event): Announcement[] => {
    if (event.type === "step-finished")
      return [...jobFinished(event, facts), ...imagePublished(event, facts), ...serviceChecked(event, facts)];
    if (event.type === "step-runnable" || event.type === "build-requested") return serviceChecked(event, facts);
    if (event.type === "deploy-requested") return deployRequested(event, facts);
    if (event.type !== "build-finished") return [];
    const ofServices = event.outcome === "failed" && onlyServicesFailed(facts.state);
    const end = { outcome: event.outcome, ...(ofServices ? { ofServices } : {}) };
    return [{ name: "builds.build-finished", payload: { ...facts.build, ...end } }];
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

type OfService = Extract<BuildEvent, { type: "step-runnable" | "build-requested" | "step-finished" }>;

/** How the build of a service ended is told by that build itself; here, that there will be one, or why there is none. */
function serviceChecked(event: OfService, { build, state }: Announcing): Announcement[] {
  const planned = state.plan.steps.find(({ key }) => key === event.step);
  if (planned?.kind !== "trigger" || !planned.service) return [];
  const { folder, name: service } = planned.service;
  if (event.type === "build-requested") {
    const number = Number(/\d+$/.exec(event.name)?.[0]);
    return [checked(build, { of: { folder, service, number, build: event.request } })];
  }
  const of = { folder, service, number: build.number, build: build.build };
  if (event.type === "step-runnable") return [checked(build, { of })];
  const hasBuild = (state.steps[event.step]?.attempts.length ?? 0) > 0;
  if (hasBuild) return [];
  const { reason = "", outcome } = event;
  return [checked(build, { of, reason, outcome: outcome === "skipped" ? "passed" : jobOutcomes[outcome] })];
}

type Checked = Omit<EventPayload<"builds.service-checked">, keyof Announcing["build"] | "tag">;

const checked = (build: Announcing["build"], check: Checked): Announcement => ({
  name: "builds.service-checked",
  payload: { ...build, ...check },
});

function onlyServicesFailed({ plan, steps }: BuildState): boolean {
  return plan.steps.every((planned) => {
    const { status } = steps[planned.key] ?? {};
    const isOwn = planned.kind === "trigger" && planned.service !== undefined;
    return isOwn || (status?.state === "finished" && fine.has(status.outcome));
  });
}

const fine: ReadonlySet<StepOutcome> = new Set(["passed", "soft-failed", "skipped"]);
