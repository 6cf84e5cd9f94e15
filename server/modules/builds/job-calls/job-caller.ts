import { isRefusal, type Refusal } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import { type Context, jobOf } from "#kernel/http.ts";
import type { BuildRow, JobRow } from "../core/rows.ts";
import { staleLease } from "../leases/leasing.ts";
import { noSuchBuild } from "../records/meta-data.ts";
import { buildsStore } from "../store.ts";

type Speaker = Pick<Context, "principal">;

export interface JobCaller {
  /** The job that speaks; `lease.stale` once its attempt has ended. */
  caller(context: Speaker): Promise<JobRow | Refusal>;
  /** The build that a job asks about: its own, or another of the same repository. */
  buildFor(context: Speaker, build: string | undefined): Promise<BuildRow | Refusal>;
}

export function createJobCaller(db: Database): JobCaller {
  const store = buildsStore(db);

  async function caller(context: Speaker): Promise<JobRow | Refusal> {
    const { id, attempt } = jobOf(context);
    const job = await store.job(id);
    return job?.attempt === attempt && job.token_hash ? job : staleLease();
  }

  async function buildFor(context: Speaker, other: string | undefined): Promise<BuildRow | Refusal> {
    const job = await caller(context);
    if (isRefusal(job)) return job;
    const own = await store.build(job.build);
    const build = other && other !== job.build ? await store.build(other) : own;
    return build && build.repository === own?.repository ? build : noSuchBuild();
  }

  return { caller, buildFor };
}
