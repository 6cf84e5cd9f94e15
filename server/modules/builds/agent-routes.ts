/** What agents say: every call about a job is believed only with the token of its lease. */
import type { agentEndpoints, JobResult } from "#api/endpoints/agent.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import type { Handlers } from "#kernel/http.ts";
import type { Log } from "#kernel/log.ts";
import type { Assign } from "./assign.ts";
import type { ClaimJob, Lease } from "./claiming.ts";
import type { JobRow } from "./core/rows.ts";
import type { JobLogs } from "./job-log.ts";
import { hashOf, type Leasing, staleLease } from "./leasing.ts";
import type { Ask, Machine } from "./machine.ts";
import { buildsStore } from "./store.ts";

interface Deps {
  db: Database;
  log: Log;
  machine: Machine;
  claimJob: ClaimJob;
  leasing: Leasing;
  logs: JobLogs;
  assign: Assign;
}

export function agentRoutes({
  db,
  log,
  machine,
  claimJob,
  leasing,
  logs,
  assign,
}: Deps): Handlers<typeof agentEndpoints> {
  const store = buildsStore(db);

  /** Does what an agent asks about its job. */
  async function act(job: string, ask: (job: JobRow) => Ask): Promise<Refusal | Record<string, never>> {
    const found = await store.job(job);
    if (!found) return staleLease();
    const done = await db.transaction().execute((tx) => machine.act(tx, found.build, ask(found)));
    return isRefusal(done) ? done : {};
  }

  /** A job that cannot be handed over fails with the reason; left alone it would be lost and leased again and again. */
  async function giveUp({ job, token }: Lease, error: unknown): Promise<null> {
    log.error({ err: error, job: job.id }, "a leased job could not be handed over");
    const reason = `the server could not hand the job over: ${error instanceof Error ? error.message : String(error)}`;
    await act(job.id, ({ step }) => ({ type: "finish", step, token: hashOf(token), outcome: "failed", reason }));
    return null;
  }

  return {
    leaseJob: async ({ body }, { signal }) => {
      const lease = await claimJob({ ...body, signal });
      return { assignment: lease ? await assign(lease).catch((error: unknown) => giveUp(lease, error)) : null };
    },

    stopAgent: async ({ body }) => {
      await leasing.leave(body);
      return {};
    },

    startJob: async ({ params, body }) => {
      const token = hashOf(body.token);
      const started = await act(params.id, ({ step }) => ({ type: "start", step, token }));
      if (!isRefusal(started) || started.refused !== "build.wrong-state") return started;
      // It was canceled between lease and start. Nothing ran, so there is nothing to wait for.
      await act(params.id, ({ step }) => ({
        type: "finish",
        step,
        token,
        outcome: "canceled",
        reason: started.message,
      }));
      return staleLease();
    },

    resumeJob: ({ params, body }) => resume({ leasing, store }, params.id, body.token),

    renewLease: ({ params, body }) => leasing.renew(params.id, body.token),

    appendLog: async ({ params, body: { token, data, ...place } }) => {
      const job = await leasing.held(params.id, token);
      if (isRefusal(job)) return job;
      return logs.append({ ...place, job: job.id, attempt: job.attempt, data: Buffer.from(data, "base64") });
    },

    finishJob: async ({ params, body }) => {
      const job = await leasing.held(params.id, body.token);
      if (!isRefusal(job)) await logs.sync(job.id, job.attempt);
      // Without the lease it may still be the second time that the agent says the same: the machine knows.
      return act(params.id, (found) => finish(found, hashOf(body.token), body.result));
    },
  };
}

/** An agent that was started anew goes on with the job: where does its log stand? */
async function resume(
  { leasing, store }: { leasing: Leasing; store: ReturnType<typeof buildsStore> },
  id: string,
  token: string,
): Promise<{ next: number; offset: number } | Refusal> {
  const renewed = await leasing.renew(id, token);
  const job = isRefusal(renewed) ? renewed : await leasing.held(id, token);
  if (isRefusal(job)) return job;
  const log = await store.log(job.id, job.attempt);
  return { next: log?.next ?? 0, offset: log?.received ?? 0 };
}

function finish({ step, kind }: JobRow, token: string, { image, ...result }: JobResult): Ask {
  const { outcome, exitStatus, reason } = result;
  if (kind === "publish" && outcome === "passed" && !image)
    return { type: "finish", step, token, outcome: "failed", reason: "the agent reported no image" };
  const outputs: Record<string, string> = image ? { image: image.reference, digest: image.digest } : {};
  return {
    type: "finish",
    ...{ step, token, outcome, outputs },
    ...(exitStatus === undefined ? {} : { exitStatus }),
    ...(reason === undefined ? {} : { reason }),
  };
}
