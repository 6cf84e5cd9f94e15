import { isWork } from "#pipeline/machine/steps.ts";
import type { PlannedWork } from "#pipeline/plan.ts";
import { parsePluginSource } from "#pipeline/plugin-source.ts";
import type { Assignment } from "#api/endpoints/agent.ts";
import type { Access } from "#access";
import type { Clock } from "#kernel/clock.ts";
import type { Fleet } from "#fleet";
import { together } from "#kernel/together.ts";
import { taskOf, variablesOf } from "#pipeline/job/assignment.ts";
import { contextOf } from "../core/context.ts";
import type { BuildRow } from "../core/rows.ts";
import { secretVariables } from "#pipeline/job/job-secrets.ts";
import type { Lease } from "./claiming.ts";

interface Deps {
  clock: Clock;
  access: Pick<Access, "issueJobTokens">;
  fleet: Pick<Fleet, "jobSecrets" | "service">;
  leaseMs: number;
}

/** All that the agent needs for a job it has leased. */
export type Assign = (lease: Lease) => Promise<Assignment>;

/** A job's token outlives its timeout by this, for the last pushes and its clean-up. */
const afterTimeoutMs = 10 * 60 * 1000;

export function createAssign({ clock, access, fleet, leaseMs }: Deps): Assign {
  const secretsOf = together(async (repository, services: (string | null)[]) => {
    const secrets = new Map<string | null, Record<string, string>>();
    for (const service of new Set(services)) secrets.set(service, await fleet.jobSecrets(repository, service));
    return services.map((service) => secrets.get(service) ?? {});
  });
  const tokenFor = together((_, requests: Parameters<Access["issueJobTokens"]>[0]) => access.issueJobTokens(requests));

  return async ({ job, build, agent, token }) => {
    const step = build.machine?.plan.steps.find(({ key }) => key === job.step);
    if (!step || !isWork(step)) throw new Error(`job ${job.id} belongs to no step`);
    const task = taskOf(step, build.manifest, build.folder);
    const { timeoutMs } = task;
    const context = contextOf(build, build.message ?? "");
    const secrets = secretVariables(step, await secretsOf(build.repository, build.service));
    if (step.kind === "publish") await mustOwn(fleet, build);
    const password = await tokenFor("", {
      name: `${build.repository} #${build.number} ${step.key}`,
      grants: {
        ...grantsOf(build, step),
        ...(await pacticipantOf(fleet, build)),
        job: { id: job.id, attempt: job.attempt },
      },
      expiresAt: new Date(clock.now().getTime() + timeoutMs + afterTimeoutMs),
    });
    return {
      job: job.id,
      attempt: job.attempt,
      token,
      leaseMs,
      ...task,
      build: { ...pick(build), message: build.message ?? "" },
      env: variablesOf({ build, context, step, job: { ...job, agent, timeoutMs } }),
      secrets,
      credentials: { user: "job", password },
    };
  };
}

/** An image goes under the name of its service, and nobody pushes under the name of one that lives elsewhere. */
async function mustOwn(fleet: Deps["fleet"], { repository, service }: BuildRow): Promise<void> {
  const known = service === null ? undefined : await fleet.service(service);
  if (!known || known.gone_at || known.repository === repository) return;
  throw new Error(`the service ${service} belongs to the repository ${known.repository}; give yours another name`);
}

/** Contracts are those of its service; nobody publishes them for one that lives elsewhere. */
async function pacticipantOf(fleet: Deps["fleet"], { repository, service }: BuildRow) {
  if (service === null || service === repository) return { pacticipant: repository };
  const known = await fleet.service(service);
  return !known || known.gone_at || known.repository === repository ? { pacticipant: service } : {};
}

/** Its own repository; an image to push only where it publishes; the shared scripts of the fleet, and its plugins. */
function grantsOf({ repository, service }: BuildRow, { kind, plugins }: PlannedWork) {
  const sources = plugins.map(({ source }) => parsePluginSource(source));
  const read = sources.flatMap((source) => (source?.kind === "repository" ? [source.repository] : []));
  const pulled = Object.fromEntries(["fleet", ...read].map((name) => [name, ["pull" as const]]));
  const image = kind === "publish" ? { [service ?? repository]: ["pull" as const, "push" as const] } : {};
  return { repositories: { ...pulled, [repository]: ["pull" as const], ...image } };
}

function pick({ id, number, repository, branch, commit }: BuildRow) {
  return { id, number, repository, branch, commit };
}
