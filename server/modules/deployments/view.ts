import type { DeploymentRow, StepRow } from "./store.ts";

export function viewDeployment(row: DeploymentRow) {
  const { id, service, environment, kind, release, commit, digest, state, phase, detail, wait, outcome, reason } = row;
  return {
    ...{ id, service, environment, kind, release, commit, digest, state, phase, detail, outcome, reason },
    wait: row.state === "waiting" ? (wait ?? { kind: "queued" as const, message: "it is about to begin" }) : null,
    actor: row.actor,
    pausedBy: (row.state === "running" && row.rollout?.paused) || null,
    build: row.build,
    overrides: row.overrides,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    liveAt: row.live_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

export function viewStep({ phase, started_at, finished_at, detail }: StepRow) {
  return {
    phase,
    startedAt: started_at.toISOString(),
    finishedAt: finished_at?.toISOString() ?? null,
    milliseconds: finished_at && finished_at.getTime() - started_at.getTime(),
    detail,
  };
}
