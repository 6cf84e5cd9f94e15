/** What a job changes about a step of its own build. */
import type { StepUpdate } from "#api/endpoints/job.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import type { JobRow } from "../core/rows.ts";
import { staleLease } from "../leases/leasing.ts";
import type { Machine } from "../machine.ts";
import { buildsStore } from "../store.ts";

export type UpdateStep = (job: JobRow, update: StepUpdate) => Promise<Record<string, never> | Refusal>;

interface Deps {
  db: Database;
  machine: Machine;
}

export function createUpdateStep({ db, machine }: Deps): UpdateStep {
  return async (job, { step = job.id, label, priority }) => {
    if (!job.token_hash) return staleLease();
    const target = (await buildsStore(db).jobs(job.build)).find(({ id }) => id === step)?.step ?? step;
    const ask = {
      ...{ type: "update" as const, step: job.step, token: job.token_hash, target },
      ...(label === undefined ? {} : { label }),
      ...(priority === undefined ? {} : { priority }),
    };
    await buildsStore(db).markWrote(job);
    const done = await machine.ask(job.build, ask);
    return isRefusal(done) ? done : {};
  };
}
