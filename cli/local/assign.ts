import { basename } from "node:path";
import type { Assignment } from "#api/endpoints/agent.ts";
import { taskOf, variablesOf } from "#pipeline/job/assignment.ts";
import { secretVariables } from "#pipeline/job/job-secrets.ts";
import type { PlannedWork } from "#pipeline/plan.ts";
import type { LocalBuild } from "./job-server.ts";

/** Long enough for a machine that is busy: nobody waits for it to run out. */
const leaseMs = 60_000;

interface Lease {
  step: PlannedWork;
  attempt: number;
  token: string;
  agent: string;
}

/** All that the agent needs for a job. Throws for a secret that the step names and nobody gave. */
export function assign(local: LocalBuild, { step, attempt, token, agent }: Lease): Assignment {
  const { build, context, secrets } = local;
  const { id = "", number, branch, commit, message } = context.build;
  const repository = context.pipeline.slug;
  const task = taskOf(step, null);
  const job = { id: build.jobOf(step.key), attempt, agent, timeoutMs: task.timeoutMs };
  const facts = { id, repository, author: context.build.author?.name ?? null, service: null, folder: "", parent: null };
  return {
    ...{ job: job.id, attempt, token, leaseMs, ...task },
    build: { id, number, repository, branch, commit, message },
    env: variablesOf({ build: facts, context, step, job }),
    secrets: secretVariables(step, secrets),
    credentials: { user: "job", password: token },
  };
}

/** A folder's name as one of a repository: what images and caches are called by. */
export function repositoryNameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return /^[a-z]/.test(name) ? name.slice(0, 60) : `local-${name}`.slice(0, 60);
}
