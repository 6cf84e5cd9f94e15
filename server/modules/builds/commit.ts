/** Writes what happened to a build into the caller's transaction, and tells whoever has to know. */
import { orThrow } from "#api/errors.ts";
import { type Clock, newId } from "#kernel/clock.ts";
import { notify, type Tx } from "#kernel/database.ts";
import type { Jobs } from "#kernel/jobs.ts";
import type { Emit } from "#kernel/outbox.ts";
import { intents } from "#pipeline/machine/intents.ts";
import { buildStatus } from "#pipeline/machine/status.ts";
import { stepOf } from "#pipeline/machine/steps.ts";
import { changeOfBuild, jobChannel } from "./channels.ts";
import { announcements } from "./core/announcements.ts";
import { attemptsIn } from "./core/attempts.ts";
import { advance, type Change, removedBy } from "./core/change.ts";
import { jobColumns } from "./core/job-columns.ts";
import { identityOf } from "./core/view.ts";
import { logStore } from "./logs/log-store.ts";
import { logChannel } from "./logs/follow-log.ts";
import { putMetaData } from "./records/meta-data.ts";
import { newJobs } from "./new-jobs.ts";
import { saveSlots, takeSlot } from "./leases/slots.ts";
import { reuseResults } from "./reuse/reuse-results.ts";
import { buildsStore } from "./store.ts";

/** Starts the build of a trigger step, and cancels one. */
export const triggerTask = "builds.trigger";
export const cancelTask = "builds.cancel-triggered";

export interface CommitDeps {
  emit: Emit;
  jobs: Jobs;
  clock: Clock;
  leaseMs: number;
}

/** First looks for results to use again, and asks for the deployments that are due: both belong to the same transaction. */
export async function commit(deps: CommitDeps, tx: Tx, decided: Change): Promise<Change> {
  const reused = await reuseResults(deps.clock, tx, await addJobs(tx, decided));
  const change = await requestDeployments(deps, tx, reused);
  await startBuilds(deps, tx, change);
  if (change.events.length === 0) return change;
  await saveBuild(deps, tx, change);
  await saveJobs(deps, tx, change);
  await saveSlots(deps.jobs, tx, change);
  await saveAnswers(deps, tx, change);
  await ring(tx, change);
  await tell(deps, tx, change);
  await cancelDeployments(deps, tx, change);
  await cancelTriggered(deps, tx, change);
  return change;
}

/** Rows for the jobs that another job added or changed; those that it took away have none. */
async function addJobs(tx: Tx, change: Change): Promise<Change> {
  const { build, events, state } = change;
  const removed = removedBy(events);
  if (removed.length > 0) await buildsStore(tx).deleteJobs(build.id, removed);
  for (const event of events)
    if (event.type === "step-updated" && event.priority !== undefined)
      await buildsStore(tx).setPriority(build.id, event.step, event.priority);
  const added = events.flatMap((event) => (event.type === "steps-added" ? event.steps : []));
  const rows = newJobs(build, state.plan, added);
  if (rows.length > 0) await buildsStore(tx).insertJobs(rows);
  if (rows.length + removed.length === 0) return change;
  return { ...change, jobs: await buildsStore(tx).jobs(build.id) };
}

/** One after another: what the machine makes of one may ask for the next. One without a slot is asked for when it gets one. */
async function requestDeployments(deps: CommitDeps, tx: Tx, decided: Change): Promise<Change> {
  let change = decided;
  const passedBy = new Set<string>();
  for (;;) {
    const wanted = intents(change.state).find(({ type, step }) => type === "request-deploy" && !passedBy.has(step));
    if (!wanted) return change;
    const { step } = wanted;
    passedBy.add(step);
    if (!(await takeSlot(deps.jobs, tx, change, step))) continue;
    const request = newId();
    await buildsStore(tx).insertRequest({ request, build: change.build.id, step });
    const command = { type: "request-deploy" as const, step, request, at: deps.clock.now().toISOString() };
    change = orThrow(advance(change, command));
  }
}

/** In jobs of their own, since Git is asked for the commit. */
async function startBuilds({ jobs }: CommitDeps, tx: Tx, { build: { id: build }, state }: Change): Promise<void> {
  for (const { type, step } of intents(state))
    if (type === "request-build")
      await jobs.add(tx, triggerTask, { build, step }, { key: `${triggerTask}:${build}:${step}` });
}

async function cancelTriggered({ jobs }: CommitDeps, tx: Tx, { build, state }: Change): Promise<void> {
  for (const intent of intents(state)) {
    if (intent.type !== "cancel-build") continue;
    const { request } = intent;
    const by = state.cancel?.by ?? build.creator ?? "towline";
    await jobs.add(tx, cancelTask, { build: request, by }, { key: `${cancelTask}:${request}` });
  }
}

/** The fields of an opened gate are meta-data of the build. */
async function saveAnswers({ clock }: CommitDeps, tx: Tx, { build, events }: Change): Promise<void> {
  for (const event of events)
    if (event.type === "step-unblocked" && event.answers)
      await putMetaData(tx, build.id, { values: event.answers, clock });
}

async function saveBuild({ clock }: CommitDeps, tx: Tx, { build, state, events }: Change): Promise<void> {
  const store = buildsStore(tx);
  const status = buildStatus(state);
  const starts = events.some(({ type }) => type === "step-leased" || type === "step-reused");
  await store.appendEvents(build.id, events);
  await store.setMachine(build.id, {
    machine: state,
    state: status.state,
    outcome: status.outcome ?? null,
    blocked_state: status.blockedState ?? null,
    started_at: build.started_at ?? (starts ? clock.now() : null),
    finished_at: status.state === "finished" ? (build.finished_at ?? clock.now()) : null,
  });
}

async function saveJobs({ clock, leaseMs }: CommitDeps, tx: Tx, { jobs, state, events }: Change): Promise<void> {
  const [store, logs] = [buildsStore(tx), logStore(tx)];
  const now = clock.now();
  const changed = new Set(events.flatMap((event) => ("step" in event ? [event.step] : [])));
  const moved = jobs.filter(({ step }) => changed.has(step));
  const columns = moved.map(({ id, step }) => ({ id, ...jobColumns(stepOf(state, step)) }));
  if (columns.length > 0) await store.setJobs(columns, new Date(now.getTime() + leaseMs));
  const { begun, ended } = attemptsIn(events, { jobs: moved, state });
  if (begun.length > 0) await logs.insertLogs(begun);
  if (ended.length > 0) await logs.completeLogs(ended, now);
}

/** Agents are woken whenever a job is left, not only when one is new: the one that was told of it may have gone. */
async function ring(tx: Tx, { build, state }: Change): Promise<void> {
  const runnable = Object.values(state.steps).some(({ status }) => status.state === "runnable");
  await notify(tx, logChannel, changeOfBuild(build.id), ...(runnable ? [jobChannel] : []));
}

async function tell({ emit }: CommitDeps, tx: Tx, { build, jobs, state, events }: Change): Promise<void> {
  const jobOf = (step: string) => jobs.find((job) => job.step === step)?.id;
  const facts = { build: identityOf(build), service: build.service, state, jobOf };
  await emit.all(tx, `build:${build.id}`, announcements(events, facts));
}

async function cancelDeployments({ emit }: CommitDeps, tx: Tx, { build, state }: Change): Promise<void> {
  for (const intent of intents(state)) {
    if (intent.type !== "cancel-deploy") continue;
    const { request } = intent;
    if (await buildsStore(tx).markRequestCanceled(request))
      await emit(tx, `build:${build.id}`, "builds.deploy-canceled", { request });
  }
}
