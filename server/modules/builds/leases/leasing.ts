/** How long an agent may work on a job: renewal, and the end of leases that nobody renewed. */
import { createHash } from "node:crypto";
import { orThrow, refuse, type Refusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Log } from "#kernel/log.ts";
import type { JobRow } from "../core/rows.ts";
import type { Machine } from "../machine.ts";
import { type AskingAgent, createMeeting } from "./meeting.ts";
import { buildsStore } from "../store.ts";

/** Milliseconds. */
export interface LeaseTimes {
  /** How long a lease lasts without renewal. */
  leaseMs: number;
  /** How long an agent that lost its lease gets to end its containers before the job goes to another. */
  graceMs: number;
  /** How often leases are looked over; well below half a lease. */
  sweepMs: number;
}

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  machine: Machine;
  times: LeaseTimes;
}

export interface Leasing {
  /** An agent asks for work. One that was started anew has lost all that its earlier start leased, but what it holds. */
  meet(agent: AskingAgent): Promise<void>;
  /** An agent has stopped: what it still held goes to others at once. Said of an earlier start, it changes nothing. */
  leave(agent: { agent: string; instance: string }): Promise<void>;
  /** Refuses `lease.stale` once the lease is not that token's any more. */
  renew(job: string, token: string): Promise<{ cancel: boolean } | Refusal>;
  /** The job while the token holds its lease. */
  held(job: string, token: string): Promise<JobRow | Refusal>;
  /**
   * Ends leases that ran out and whose agent has had time to clean up. A server that was away (just started, held up,
   * without its database) could not hear renewals: it first gives every lease its whole length again.
   */
  sweep(): Promise<void>;
}

/** Only the hash is kept: who reads the database cannot speak for an agent. */
export const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex");

const agentIsForgottenMs = 7 * 24 * 60 * 60 * 1000;
const forgetEveryMs = 60 * 60 * 1000;

export function createLeasing({ db, clock, log, machine, times }: Deps): Leasing {
  const store = buildsStore(db);
  let lastSweep: number | undefined;
  const forget = atMostEvery(forgetEveryMs, (now) => store.forgetAgents(new Date(now - agentIsForgottenMs)));
  const noteThere = (names: string[]) => store.noteAgentsAtWork(names, clock.now());
  const nowMs = () => clock.now().getTime();

  async function meet({ agent: name, instance, tags, holds = [] }: AskingAgent): Promise<void> {
    const held = new Set(holds.map(hashOf));
    await db.transaction().execute(async (tx) => {
      const known = await buildsStore(tx).lockAgent(name);
      if (known && instance && known.instance !== instance)
        for (const job of (await buildsStore(tx).leasesOf(name)).filter((job) => !held.has(job.token_hash ?? "")))
          await lose(tx, job, { reason: `the agent ${name} was started anew` });
      await buildsStore(tx).putAgent({ name, tags, instance: instance ?? null, last_seen: clock.now() });
    });
  }

  async function leave({ agent: name, instance }: { agent: string; instance: string }): Promise<void> {
    meeting.forget(name);
    await db.transaction().execute(async (tx) => {
      const store = buildsStore(tx);
      if ((await store.lockAgent(name))?.instance !== instance) return;
      for (const job of await store.leasesOf(name))
        await lose(tx, job, { reason: `the agent ${name} was stopped`, stopped: true });
      await store.removeAgent(name);
    });
  }

  async function renew(id: string, token: string): Promise<{ cancel: boolean } | Refusal> {
    const until = new Date(nowMs() + times.leaseMs);
    const job = await store.renewLease(id, { tokenHash: hashOf(token), until });
    if (!job) return staleLease();
    if (job.agent) await store.noteAgentsAtWork([job.agent], clock.now());
    return { cancel: job.state === "canceling" };
  }

  async function sweep(): Promise<void> {
    const now = nowMs();
    const wasAway = lastSweep === undefined || now - lastSweep > times.leaseMs / 2;
    if (wasAway) await store.extendLeases(new Date(now + times.leaseMs));
    else for (const job of await store.expiredLeases(new Date(now - times.graceMs))) await expire(job);
    await forget(now);
    lastSweep = now;
  }

  async function expire(found: JobRow): Promise<void> {
    const before = new Date(nowMs() - times.graceMs);
    await db.transaction().execute(async (tx) => {
      // In the order of every other change: first the build, then its jobs.
      await buildsStore(tx).lockBuild(found.build);
      const job = await buildsStore(tx).lockJob(found.id);
      if (job?.lease_until && job.lease_until < before) await lose(tx, job);
    });
  }

  async function lose(tx: Tx, lost: JobRow, word: { reason?: string; stopped?: boolean } = {}): Promise<void> {
    const { id: job, build, step, agent, token_hash: token } = lost;
    if (!token) return;
    log.warn({ job, step, agent, ...word }, "a lease was lost");
    orThrow(await machine.act(tx, build, { type: "lease-expired", step, token, ...word }));
  }

  const meeting = createMeeting({ clock, meet, noteThere });
  return { meet: meeting.meet, leave, renew, held: (id, token) => held(db, id, token), sweep };
}

export const staleLease = (): Refusal =>
  refuse("lease.stale", "the lease has ended or belongs to somebody else", { fix: "Stop the work." });

async function held(db: Database, id: string, token: string): Promise<JobRow | Refusal> {
  const job = await buildsStore(db).job(id);
  return job?.token_hash === hashOf(token) ? job : staleLease();
}

function atMostEvery(ms: number, work: (now: number) => Promise<unknown>): (now: number) => Promise<void> {
  let last = -Infinity;
  return async (now) => {
    if (now - last < ms) return;
    await work(now);
    last = now;
  };
}
