/** How waiting agents get jobs: all that wait at this process stand in one line, and one look at a time serves the line. */
import { isRefusal } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import { together } from "#kernel/together.ts";
import type { Wake } from "#kernel/wake.ts";
import { jobChannel } from "../channels.ts";
import { matchJobs } from "../core/matching.ts";
import type { BuildRow, JobRow } from "../core/rows.ts";
import { agentTags } from "../core/tags.ts";
import type { JobLogs } from "../logs/job-logs.ts";
import { hashOf, type Leasing } from "./leasing.ts";
import { createLine, type Waiting } from "./line.ts";
import type { Machine } from "../machine.ts";
import { buildsStore } from "../store.ts";

export interface Lease {
  /** As it stood before the lease, except for the attempt. */
  job: JobRow;
  build: BuildRow;
  agent: string;
  token: string;
}

export interface Claim {
  agent: string;
  instance?: string | undefined;
  /** The token that the lease is to have. */
  token: string;
  tags: Record<string, string>;
  /** Leases of an earlier start that go on. */
  holds?: readonly string[];
  waitMs: number;
  signal: AbortSignal;
}

interface Deps {
  db: Database;
  wake: Wake;
  machine: Machine;
  leasing: Leasing;
  logs: JobLogs;
}

/** Waits for a job and leases it; undefined when the time is up or the caller has gone. */
export type ClaimJob = (claim: Claim) => Promise<Lease | undefined>;

/** Jobs that one look hands out at most for each set of tags. */
const mostAtOnce = 100;

/**
 * A job that becomes runnable wakes this process, never its agents: one look at the database serves as many as there are jobs for,
 * in the order in which they asked. A look locks nothing. Whether a job is still to be had is decided by the lease, under its
 * build's lock (`machine.ask`); who finds it taken goes back to his place in the line.
 *
 * A job whose concurrency group is full is not seen by a look; since two builds may want the last slot, the lease takes it
 * under the group's own lock, in the transaction of `machine.ask`.
 */
export function createClaimJob({ db, wake, machine, leasing, logs }: Deps): ClaimJob {
  /** Jobs that are being leased at this moment. */
  const leaving = new Set<string>();
  const leasedBy = together<string, JobRow | undefined>(async (_, tokens) => {
    const jobs = await buildsStore(db).jobsLeasedBy(tokens);
    return tokens.map((token) => jobs.find((job) => job.token_hash === token));
  });

  /** The lease whose answer the agent did not get. */
  async function leaseAgain({ agent, token }: Claim): Promise<Lease | undefined> {
    const job = await leasedBy("", hashOf(token));
    const build = job && (await buildsStore(db).build(job.build));
    return job && build && { job, build, agent, token };
  }

  async function look(waiting: Waiting<Claim, Lease>[]): Promise<boolean> {
    if (await logs.diskIsFull()) return false;
    const agents = waiting.map((each) => ({ ...each, tags: each.claim.tags }));
    const tags = [...new Map(agents.map((agent) => [JSON.stringify(agent.tags), agent.tags])).values()];
    const limit = Math.min(waiting.length, mostAtOnce);
    const jobs = await buildsStore(db).claimableJobs({ tags, except: [...leaving], limit });
    const matches = matchJobs(jobs, agents);
    for (const { job, agent } of matches) agent.serve(lease(job, agent.claim));
    return jobs.length >= limit;
  }

  /** Undefined when another took the job in between, or the agent has gone. */
  async function lease(job: JobRow, { agent, token, signal }: Claim): Promise<Lease | undefined> {
    leaving.add(job.id);
    try {
      const ask = { type: "lease" as const, step: job.step, token: hashOf(token), agent };
      const done = await machine.ask(job.build, ask, signal);
      if (isRefusal(done)) return undefined;
      const attempt = done.state.steps[job.step]?.attempts.length ?? 1;
      return { job: { ...job, attempt }, build: { ...done.build, machine: done.state }, agent, token };
    } finally {
      leaving.delete(job.id);
    }
  }

  const line = createLine(look);
  wake.on(jobChannel, () => line.lookAgain());
  return async (given) => {
    const claim = { ...given, tags: agentTags(given.tags) };
    await leasing.meet(claim);
    return (await leaseAgain(claim)) ?? line.wait(claim);
  };
}
