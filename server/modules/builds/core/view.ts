/** Builds as the API shows them. Fencing tokens never leave the module. */
import type { BuildDetails, BuildSummary, StepView } from "#api/endpoints/builds.ts";
import type { Attempt, BuildState } from "#pipeline/machine/state.ts";
import { stepOf } from "#pipeline/machine/steps.ts";
import type { PlannedStep } from "#pipeline/plan.ts";
import type { Field } from "#pipeline/step.ts";
import type { BuildRow, BuildSummaryRow, JobRow } from "./rows.ts";
import { type Surroundings, waitsOf } from "./waits.ts";

/** What events of a build carry. */
export function identityOf({ id, repository, number, branch, commit, tag, folder }: BuildSummaryRow) {
  const optional = { ...(tag === null ? {} : { tag }), ...(folder === "" ? {} : { folder }) };
  return { build: id, repository, number, branch, commit, ...optional };
}

export function viewSummary(row: BuildSummaryRow): BuildSummary {
  const { id, number, repository, branch, commit, tag, message, author, source, creator, state, outcome } = row;
  return {
    ...{ id, number, repository, branch, commit, tag, message, author, source, creator, state, outcome },
    ...{ service: row.service, folder: row.folder },
    blockedState: row.blocked_state,
    pullRequest: row.pull_request,
    supersededBy: row.superseded_by,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

export function viewDetails(row: BuildRow, jobs: readonly JobRow[], around: Surroundings): BuildDetails {
  const { parent, fault, warnings } = row;
  return { ...viewSummary(row), parent, fault, warnings, steps: viewSteps(row, jobs, around) };
}

function viewSteps(build: BuildRow, jobs: readonly JobRow[], around: Surroundings): StepView[] {
  const { machine: state } = build;
  if (!state) return [];
  const jobOf = new Map(jobs.map(({ step, id }) => [step, id]));
  return state.plan.steps.map((step) => ({
    ...viewStep(step, state),
    job: jobOf.get(step.key) ?? null,
    waits: waitsOf({ build, state }, step.key, around),
  }));
}

function viewStep(step: PlannedStep, state: BuildState): Omit<StepView, "job" | "waits"> {
  const { status, attempts, answers = null } = stepOf(state, step.key);
  const end = status.state === "finished" ? status : undefined;
  return {
    key: step.key,
    label: step.label,
    kind: step.kind,
    environment: step.kind === "deploy" ? step.environment : null,
    state: status.state,
    outcome: end?.outcome ?? null,
    exitStatus: end?.exitStatus ?? null,
    reason: end?.reason ?? null,
    by: end?.by ?? null,
    dependsOn: step.dependsOn.map(({ key }) => key),
    group: step.group ?? null,
    fields: "fields" in step ? step.fields.map(viewField) : [],
    answers,
    attempts: attempts.map((attempt) => viewAttempt(attempt, step)),
  };
}

function viewField(field: Field): StepView["fields"][number] {
  const { key, label, hint, required, default: filled } = field;
  const options =
    field.kind === "select" ? field.options.map((each) => ({ label: each.label, value: each.value })) : null;
  const multiple = field.kind === "select" && field.multiple;
  const usual = { key, label, ...(hint === undefined ? {} : { hint }), required, multiple, options };
  const before = Array.isArray(filled) && !multiple ? filled[0] : filled;
  return { ...usual, ...(before === undefined ? {} : { default: before }) };
}

function viewAttempt(attempt: Attempt, { kind }: PlannedStep): StepView["attempts"][number] {
  return {
    number: attempt.number,
    agent: attempt.agent ?? null,
    // These tokens are no secrets: they are ids of a request and of a build.
    request: kind === "deploy" || kind === "trigger" ? attempt.token : null,
    name: attempt.name ?? null,
    leasedAt: attempt.leasedAt,
    startedAt: attempt.startedAt ?? null,
    finishedAt: attempt.finishedAt ?? null,
    outcome: attempt.outcome ?? null,
    exitStatus: attempt.exitStatus ?? null,
    reason: attempt.reason ?? null,
    reused: attempt.reused ?? null,
  };
}

/** Steps that wait for something outside the build: an agent, a person, a deployment. */
export function viewWaits(
  build: Pick<BuildRow, "id" | "sequence" | "ancestors">,
  state: BuildState,
  around: Surroundings,
): { step: string; label: string; text: string }[] {
  return state.plan.steps.flatMap(({ key, label }) =>
    waitsOf({ build, state }, key, around)
      .filter(({ reason }) => reason.kind !== "dependency" && (reason.kind !== "gate" || reason.step === key))
      .map(({ text }) => ({ step: key, label, text })),
  );
}
