/** How a waiting agent gets a job. */
import { isRefusal } from "#api/errors.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Wake } from "#kernel/wake.ts";
import { jobChannel } from "./commit.ts";
import type { JobRow } from "./core/rows.ts";
import { agentTags } from "./core/tags.ts";
import { listen } from "./ear.ts";
import type { JobLogs } from "./job-log.ts";
import { hashOf, type Leasing } from "./leasing.ts";
import type { Machine } from "./machine.ts";
import { buildsStore } from "./store.ts";

export interface Lease {
  /** As it stood before the lease, except for the attempt. */
  job: JobRow;
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

/** Wakes may get lost with a database connection: a waiting agent looks again after this time at the latest. */
const lookAgainMs = 2_000;
const mostTries = 5;

export function createClaimJob({ db, wake, machine, leasing, logs }: Deps): ClaimJob {
  const inTurn = createQueue();

  /** `taken`: the job's row was read before another agent's lease, and its build locked after it. */
  /** The lease whose answer the agent did not get. */
  async function leaseAgain({ agent, token }: Claim): Promise<Lease | undefined> {
    const job = await buildsStore(db).jobLeasedBy(hashOf(token));
    return job && { job, agent, token };
  }

  async function leaseNext(tx: Tx, { agent, tags, token, signal }: Claim): Promise<Lease | "taken" | undefined> {
    const job = await buildsStore(tx).claimableJob(tags);
    if (!job) return undefined;
    const leased = await machine.act(tx, job.build, { type: "lease", step: job.step, token: hashOf(token), agent });
    if (isRefusal(leased)) return "taken";
    // Better back in the row than lost until the lease ends.
    if (signal.aborted) throw new CallerGone();
    return { job: { ...job, attempt: job.attempt + 1 }, agent, token };
  }

  async function tryToLease(claim: Claim): Promise<Lease | undefined> {
    if (claim.signal.aborted || (await logs.diskIsFull())) return undefined;
    for (let tries = 0; tries < mostTries; tries++) {
      const transaction = db.transaction().execute((tx) => leaseNext(tx, claim));
      const lease = await transaction.catch(unlessCallerGone);
      if (lease !== "taken") return lease;
    }
    return undefined;
  }

  return async (given) => {
    const claim = { ...given, tags: agentTags(given.tags) };
    const { waitMs, signal } = claim;
    const deadline = Date.now() + waitMs;
    using ear = listen(wake, jobChannel);
    await leasing.meet(claim);
    const before = await leaseAgain(claim);
    if (before) return before;
    while (!signal.aborted) {
      const lease = await inTurn(() => tryToLease(claim));
      const left = deadline - Date.now();
      if (lease || left <= 0) return lease;
      await ear.wait(Math.min(left, lookAgainMs), signal);
    }
    return undefined;
  };
}

/** Rolls a lease back whose caller hung up. */
class CallerGone extends Error {}

function unlessCallerGone(error: unknown): undefined {
  if (!(error instanceof CallerGone)) throw error;
}

/** Runs one after another what is given to it, so that a hundred waiting agents do not take a hundred connections. */
function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine;
    return mine;
  };
}
