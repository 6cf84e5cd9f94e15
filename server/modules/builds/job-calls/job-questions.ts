/** What jobs ask about their build's steps, and the secrets they may read. */
import type { jobEndpoints } from "#api/endpoints/job.ts";
import { isRefusal, refuse } from "#api/errors.ts";
import type { Fleet } from "#fleet";
import type { Database } from "#kernel/database.ts";
import type { Handlers } from "#kernel/http.ts";
import { secretsFor } from "#pipeline/job/job-secrets.ts";
import { stepAttributes } from "#pipeline/job/step-attributes.ts";
import type { JobCaller } from "./job-caller.ts";
import { buildsStore } from "../store.ts";

interface Deps {
  db: Database;
  fleet: Pick<Fleet, "jobSecrets">;
  caller: JobCaller;
}

type Questions = Pick<Handlers<typeof jobEndpoints>, "showStep" | "readSecrets">;

export function jobQuestions({ db, fleet, caller: { caller, buildFor } }: Deps): Questions {
  const store = buildsStore(db);
  return {
    showStep: async ({ query }, context) => {
      const build = await buildFor(context, query.build);
      if (isRefusal(build)) return build;
      const jobs = await store.jobs(build.id);
      const key = jobs.find(({ id }) => id === query.step)?.step ?? query.step;
      const step = build.machine?.plan.steps.find((each) => each.key === key);
      if (!build.machine || !step) return refuse("not-found", `the build has no step ${query.step}`);
      const job = jobs.find((each) => each.step === key)?.id;
      return { attributes: stepAttributes(build.machine, step, job) };
    },

    readSecrets: async ({ body: { names } }, context) => {
      const job = await caller(context);
      if (isRefusal(job)) return job;
      const build = await store.build(job.build);
      const step = build?.machine?.plan.steps.find(({ key }) => key === job.step);
      if (!build || !step) throw new Error(`job ${job.id} belongs to no step`);
      const all = await fleet.jobSecrets(build.repository, build.service);
      const allowed = secretsFor(step, all, names);
      const missing = names.filter((name) => !Object.hasOwn(allowed, name));
      if (missing.length > 0) return refuse("not-found", `there is no secret ${missing.join(", ")} for this job`);
      return { values: allowed };
    },
  };
}
