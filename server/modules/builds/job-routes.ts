/** What jobs say by the agent's command line. Their token tells which attempt speaks. */
import type { jobEndpoints } from "#api/endpoints/job.ts";
import { isRefusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Handlers } from "#kernel/http.ts";
import { createJobCaller } from "./job-caller.ts";
import { putMetaData } from "./meta-data.ts";
import { metaDataStore } from "./meta-data-store.ts";
import type { UploadSteps } from "./upload-steps.ts";

interface Deps {
  db: Database;
  clock: Clock;
  uploadSteps: UploadSteps;
}

export function jobRoutes({ db, clock, uploadSteps }: Deps): Handlers<typeof jobEndpoints> {
  const { caller, buildFor } = createJobCaller(db);
  const metaData = metaDataStore(db);

  return {
    uploadPipeline: async ({ body }, context) => {
      const job = await caller(context);
      return isRefusal(job) ? job : uploadSteps(job, body);
    },

    setMetaData: async ({ body: { key, value } }, context) => {
      const job = await caller(context);
      if (isRefusal(job)) return job;
      await db.transaction().execute((tx) => putMetaData(tx, job.build, { values: { [key]: value }, clock }));
      return {};
    },

    getMetaData: async ({ query }, context) => {
      const build = await buildFor(context, query.build);
      if (isRefusal(build)) return build;
      return { value: (await metaData.get(build.id, query.key)) ?? null };
    },

    listMetaDataKeys: async ({ query }, context) => {
      const build = await buildFor(context, query.build);
      return isRefusal(build) ? build : { keys: await metaData.keys(build.id) };
    },
  };
}
