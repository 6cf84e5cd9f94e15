/** Steps that a running job adds to its build: they wait for the job, and whatever waited for it waits for them too. */
import { type Refusal, refuse } from "#api/errors.ts";
import { ancestors, findCycle } from "../graph.ts";
import type { PlannedStep } from "../plan.ts";
import type { Notification } from "../step.ts";
import type { Command } from "./command.ts";
import type { BuildEvent } from "./event.ts";
import { graphOf, withoutRest } from "./replace.ts";
import type { BuildState, StepState, Upload } from "./state.ts";
import { findStep, isWork, openAttempt, plannedOf } from "./steps.ts";

type UploadCommand = Extract<Command, { type: "upload" }>;

export const uploadLimits = { steps: 500, uploads: 500, jobs: 4_000, notifications: 50 };

export function decideUpload(before: BuildState, command: UploadCommand): BuildEvent[] | Refusal {
  const { step: by, upload, at } = command;
  if (before.uploads?.some(({ id }) => id === upload)) return [];
  const uploader = runningJob(before, command);
  if ("refused" in uploader) return uploader;
  const { state, removed } = command.replace ? withoutRest(before) : { state: before, removed: [] };
  const uploads = uploadsOf(state);
  const steps = withoutEarlier(command.steps, { uploads, by, attempt: uploader.attempts.length });
  const notify = newReceivers(state, command.notify);
  const refusal = tooMuch(state, command.steps, { steps, notify }) ?? whyNot(state, steps);
  if (refusal) return refusal;
  const first = [by, ...closedBefore(state, by)];
  const added = steps.map((step) => waitingFor(first, step));
  const event = { type: "steps-added", upload, by, attempt: uploader.attempts.length, at } as const;
  const own = uploads.filter((each) => each.by === by).flatMap(({ keys }) => keys);
  const dependents = dependentsOf(state, by, own);
  const gates = gatesOf(state, added);
  const gated = gates.length > 0 ? openBehind(state, dependents) : [];
  const told = { ...(notify.length > 0 ? { notify } : {}), ...(removed.length > 0 ? { removed } : {}) };
  const complete = { ...event, steps: added, after: own.at(-1) ?? by, dependents, gates, gated, ...told };
  return circle(state, complete) ?? [complete];
}

/** Earlier uploads with what is left of them. */
function uploadsOf({ uploads = [], steps }: BuildState): Upload[] {
  return uploads.map((each) => ({ ...each, keys: each.keys.filter((key) => Object.hasOwn(steps, key)) }));
}

/** A job that is tried again names the same. */
function newReceivers({ plan }: BuildState, notify: readonly Notification[] = []): Notification[] {
  const known = new Set((plan.notify ?? []).map((each) => JSON.stringify(each)));
  return notify.filter((each) => !known.has(JSON.stringify(each)));
}

/** Gates among the steps and before them, those excepted that this build leaves out. */
function gatesOf({ plan }: BuildState, added: readonly PlannedStep[]): string[] {
  const steps = [...plan.steps, ...added];
  const graph = graphOf(steps);
  const reached = new Set(added.flatMap(({ key }) => [key, ...ancestors(graph, key)]));
  return steps
    .filter(({ kind, key, skipped }) => kind === "block" && !skipped && reached.has(key))
    .map(({ key }) => key);
}

/**
 * Steps at or behind these that the gates might not hold: these themselves, for what they wait for may be left out of this build;
 * those that go on after some failure; and those behind a step that began before there was a gate. All others stand behind the
 * gates anyhow.
 */
function openBehind({ plan, steps }: BuildState, dependents: readonly { key: string }[]): string[] {
  const graph = graphOf(plan.steps);
  const first = new Set(dependents.map(({ key }) => key));
  const isBehind = (key: string) => first.has(key) || [...ancestors(graph, key)].some((each) => first.has(each));
  const isOpen = (edge: PlannedStep["dependsOn"][number]) =>
    edge.allowFailure || (hasBegun(steps[edge.key]) && isBehind(edge.key));
  return plan.steps
    .filter(({ key, dependsOn }) => first.has(key) || (dependsOn.some(isOpen) && isBehind(key)))
    .map(({ key }) => key);
}

function hasBegun(step: StepState | undefined): boolean {
  return step !== undefined && (step.attempts.length > 0 || step.status.state === "finished");
}

/** The step, while the attempt with this token is at work and may go on. */
function runningJob(state: BuildState, { step: key, token }: UploadCommand): StepState | Refusal {
  const found = findStep(state, key);
  if (!found || !isWork(plannedOf(state, key)) || openAttempt(found)?.token !== token)
    return refuse("lease.stale", `the job \`${key}\` has ended or belongs to somebody else`, { fix: "stop the work" });
  return state.cancel || found.status.state === "canceling"
    ? refuse("build.wrong-state", "the build is being canceled and takes no more steps")
    : found;
}

/** A job that is tried again uploads the same: what an earlier attempt of it added under the same key stays. */
function withoutEarlier(
  steps: readonly PlannedStep[],
  { uploads, by, attempt }: { uploads: readonly Upload[]; by: string; attempt: number },
): PlannedStep[] {
  const earlier = new Set(
    uploads.filter((each) => each.by === by && each.attempt < attempt).flatMap(({ keys }) => keys),
  );
  return steps.filter(({ key }) => !earlier.has(key));
}

function tooMuch(
  { plan, uploads = [] }: BuildState,
  given: readonly PlannedStep[],
  { steps, notify }: { steps: readonly PlannedStep[]; notify: readonly Notification[] },
): Refusal | undefined {
  if (given.length > uploadLimits.steps)
    return refuse("limit.reached", `an upload has at most ${uploadLimits.steps} jobs, and this one ${given.length}`);
  if (uploads.length >= uploadLimits.uploads)
    return refuse("limit.reached", `a build takes at most ${uploadLimits.uploads} uploads`);
  if (plan.steps.length + steps.length > uploadLimits.jobs)
    return refuse("limit.reached", `a build has at most ${uploadLimits.jobs} jobs`);
  if ((plan.notify ?? []).length + notify.length > uploadLimits.notifications)
    return refuse("limit.reached", `a build has at most ${uploadLimits.notifications} notifications`);
  return undefined;
}

function whyNot(state: BuildState, steps: readonly PlannedStep[]): Refusal | undefined {
  const deploy = steps.find(({ kind }) => kind === "deploy");
  if (deploy)
    return refuse("upload.refused", `\`${deploy.label}\` cannot be uploaded: deployments stand in the pipeline file`, {
      fix: "Put the deploy step into the pipeline file, where its gate can be seen.",
    });
  const keys = new Set(steps.map(({ key }) => key));
  const taken = steps.find(({ key }) => findStep(state, key));
  if (taken || keys.size < steps.length)
    return refuse("upload.refused", `the build has a step \`${taken?.key ?? steps[0]?.key}\` already`, {
      fix: "Choose another key.",
    });
  const missing = steps.flatMap((step) => step.dependsOn).find(({ key }) => !keys.has(key) && !findStep(state, key));
  return missing && refuse("upload.refused", `\`depends_on\` names \`${missing.key}\`, and no step has that key`);
}

function waitingFor<S extends PlannedStep>(first: readonly string[], step: S): S {
  const others = step.dependsOn.filter(({ key }) => !first.includes(key));
  return { ...step, dependsOn: [...first.map((key) => ({ key, allowFailure: false })), ...others] };
}

/** Gates before the job that nobody opened: they were added when it had begun. */
function closedBefore({ plan, steps }: BuildState, by: string): string[] {
  const before = ancestors(graphOf(plan.steps), by);
  const closed = plan.steps.filter(({ kind, key, skipped }) => {
    const { status } = steps[key] ?? {};
    const isOpened = status?.state === "finished" && status.outcome === "passed";
    return kind === "block" && !skipped && before.has(key) && !isOpened;
  });
  return closed.map(({ key }) => key);
}

/** Steps that wait for the job and were not added by it. */
function dependentsOf(
  { plan }: BuildState,
  by: string,
  own: readonly string[],
): { key: string; allowFailure: boolean }[] {
  return plan.steps
    .filter(({ key }) => !own.includes(key))
    .flatMap(({ key, dependsOn }) => {
      const edge = dependsOn.find((each) => each.key === by);
      return edge ? [{ key, allowFailure: edge.allowFailure }] : [];
    });
}

/** A step that waits for one behind the job: that one would wait for it too. */
function circle({ plan }: BuildState, event: Extract<BuildEvent, { type: "steps-added" }>): Refusal | undefined {
  const graph = graphOf([...plan.steps, ...event.steps]);
  const added = event.steps.map(({ key: step }) => ({ step, allowFailure: false }));
  for (const { key } of event.dependents) graph.set(key, [...(graph.get(key) ?? []), ...added]);
  const cycle = findCycle(graph);
  return cycle && refuse("upload.refused", `these steps would wait for each other: ${cycle.join(" → ")}`);
}
