/** What agents say: every call about a job is believed only with the token of its lease. */
import type { agentEndpoints, JobResult } from "#api/endpoints/agent.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import type { Handlers } from "#kernel/http.ts";
import type { Log } from "#kernel/log.ts";
import { together } from "#kernel/together.ts";
import type { Assign } from "./assign.ts";
import type { ClaimJob, Lease } from "./claiming.ts";
import type { JobRow } from "../core/rows.ts";
import type { JobLogs } from "../logs/job-logs.ts";
import { hashOf, type Leasing, staleLease } from "./leasing.ts";
import type { Ask, Machine } from "../machine.ts";
import { buildsStore } from "../store.ts";
import type { Results } from "../reuse/results.ts";
import type { TestDesk } from "../tests/test-desk.ts";

interface Deps {
  db: Database;
  log: Log;
  machine: Machine;
  claimJob: ClaimJob;
  leasing: Leasing;
  logs: JobLogs;
  assign: Assign;
  tests: Pick<TestDesk, "take" | "excuse">;
  results: Pick<Results, "note">;
}

export function agentRoutes(deps: Deps): Handlers<typeof agentEndpoints> {
  const { db, log, machine, claimJob, leasing, logs, assign, tests } = deps;
  const acts = jobActs(db, machine);
  const { act } = acts;

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
      const { message: reason } = started;
      await act(params.id, ({ step }) => ({ type: "finish", step, token, outcome: "canceled", reason }));
      return staleLease();
    },

    resumeJob: ({ params, body }) => resume({ leasing, logs }, params.id, body.token),

    renewLease: ({ params, body }) => leasing.renew(params.id, body.token),

    appendLog: async ({ params, headers, query: { offset, times = "" }, body }) => {
      const job = await leasing.held(params.id, headers["towline-lease"]);
      if (isRefusal(job)) return job;
      const data = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      return logs.append({ job: job.id, attempt: job.attempt, offset, data, times: readTimes(times) });
    },

    reportTests: async ({ params, body: { token, ...report } }) => {
      const job = await leasing.held(params.id, token);
      return isRefusal(job) ? job : tests.take(job, report);
    },

    finishJob: ({ params, body }) => finishJob(deps, acts, { id: params.id, ...body }),
  };
}

interface Finish {
  id: string;
  token: string;
  result: JobResult;
}

async function finishJob(
  { machine, logs, tests, results }: Deps,
  { jobOf, actOn }: ReturnType<typeof jobActs>,
  { id, token: given, result }: Finish,
): Promise<Refusal | Record<string, never>> {
  const job = await jobOf(id);
  if (!job) return staleLease();
  const token = hashOf(given);
  const ask = finish(job, token, result);
  // Without the lease it may still be the second time that the agent says the same: the machine knows.
  if (job.token_hash !== token) return actOn(job, ask);
  await logs.sync({ job: job.id, attempt: job.attempt });
  const excuse = await tests.excuse(job, result);
  const done = await machine.ask(job.build, excuse === undefined ? ask : { ...ask, excuse });
  if (isRefusal(done)) return done;
  // After the end was taken: a server that is killed in between only keeps no result.
  await results.note(job, done, result.ran);
  return {};
}

/** An agent that was started anew goes on with the job: where does its log stand? */
async function resume(
  { leasing, logs }: Pick<Deps, "leasing" | "logs">,
  id: string,
  token: string,
): Promise<{ offset: number } | Refusal> {
  const renewed = await leasing.renew(id, token);
  const job = isRefusal(renewed) ? renewed : await leasing.held(id, token);
  if (isRefusal(job)) return job;
  const { size } = await logs.open({ job: job.id, attempt: job.attempt });
  return { offset: size };
}

/** Of `byte:ms` pairs, each time but the first counted from the one before. */
function readTimes(written: string): [byte: number, ms: number][] {
  let time = 0;
  return written
    .split(",")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [byte = 0, ms = 0] = pair.split(":").map(Number);
      time += ms;
      return [byte, time];
    });
}

/** What agents do to jobs goes to the machine of the job's build. */
function jobActs(db: Database, machine: Machine) {
  const store = buildsStore(db);
  const jobOf = together(async (_, ids: string[]) => {
    const found = await store.jobsById(ids);
    return ids.map((id) => found.find((job) => job.id === id));
  });

  /** Does what an agent asks about its job. */
  async function act(id: string, ask: (job: JobRow) => Ask): Promise<Refusal | Record<string, never>> {
    const job = await jobOf("", id);
    return job ? actOn(job, ask(job)) : staleLease();
  }

  async function actOn({ build }: JobRow, ask: Ask): Promise<Refusal | Record<string, never>> {
    const done = await machine.ask(build, ask);
    return isRefusal(done) ? done : {};
  }

  return { jobOf: (id: string) => jobOf("", id), act, actOn };
}

function finish(
  { step, kind }: JobRow,
  token: string,
  { image, ...result }: JobResult,
): Extract<Ask, { type: "finish" }> {
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
