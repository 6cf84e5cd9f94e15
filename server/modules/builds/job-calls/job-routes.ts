/** What jobs say by the agent's command line. Their token tells which attempt speaks. */
import type { jobEndpoints } from "#api/endpoints/job.ts";
import type { Fleet } from "#fleet";
import { isRefusal, refuse } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Handlers } from "#kernel/http.ts";
import { annotateBuild, removeAnnotation } from "../records/annotations.ts";
import type { Artifacts } from "../records/artifacts.ts";
import type { JobCaller } from "./job-caller.ts";
import { jobQuestions } from "./job-questions.ts";
import { putMetaData } from "../records/meta-data.ts";
import { metaDataStore } from "../records/meta-data-store.ts";
import { viewArtifact } from "../records/record-routes.ts";
import type { JobRow } from "../core/rows.ts";
import { buildsStore } from "../store.ts";
import type { UpdateStep } from "./update-step.ts";
import type { UploadSteps } from "./upload-steps.ts";

interface Deps {
  db: Database;
  clock: Clock;
  caller: JobCaller;
  artifacts: Artifacts;
  uploadSteps: UploadSteps;
  updateStep: UpdateStep;
  fleet: Pick<Fleet, "jobSecrets">;
}

export function jobRoutes(deps: Deps): Handlers<typeof jobEndpoints> {
  const { caller, uploadSteps } = deps;
  return {
    ...metaDataRoutes(deps),
    ...annotationRoutes(deps),
    ...artifactRoutes(deps),
    ...jobQuestions(deps),
    updateStep: async ({ body }, context) => {
      const job = await caller.caller(context);
      return isRefusal(job) ? job : deps.updateStep(job, body);
    },
    uploadPipeline: async ({ body }, context) => {
      const job = await caller.caller(context);
      return isRefusal(job) ? job : uploadSteps(job, body);
    },
  };
}

async function noteWrote(db: Database, job: JobRow): Promise<void> {
  if (job.wrote_attempt !== job.attempt) await buildsStore(db).markWrote(job);
}

type JobHandlers<K extends keyof typeof jobEndpoints> = Pick<Handlers<typeof jobEndpoints>, K>;

function metaDataRoutes({
  db,
  clock,
  caller: { caller, buildFor },
}: Deps): JobHandlers<"setMetaData" | "getMetaData" | "listMetaDataKeys"> {
  const metaData = metaDataStore(db);

  return {
    setMetaData: async ({ body: { key, value } }, context) => {
      const job = await caller(context);
      if (isRefusal(job)) return job;
      await noteWrote(db, job);
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

function annotationRoutes({ db, clock, caller: { caller } }: Deps): JobHandlers<"annotate" | "removeAnnotation"> {
  return {
    annotate: async ({ body: { context, body, append, style, priority } }, call) => {
      const job = await caller(call);
      if (isRefusal(job)) return job;
      await noteWrote(db, job);
      const change = { build: job.build, context, body, append, style, priority, at: clock.now() };
      return (await annotateBuild(db, change)) ?? {};
    },

    removeAnnotation: async ({ query: { context } }, call) => {
      const job = await caller(call);
      if (isRefusal(job)) return job;
      await noteWrote(db, job);
      const removed = await removeAnnotation(db, job.build, context);
      return removed ? {} : refuse("not-found", `the build has no annotation of the context ${context}`);
    },
  };
}

function artifactRoutes({
  artifacts,
  caller: { caller, buildFor },
}: Deps): JobHandlers<"createArtifact" | "searchArtifacts"> {
  return {
    createArtifact: async ({ body }, context) => {
      const job = await caller(context);
      return isRefusal(job) ? job : artifacts.announce(job, body);
    },

    searchArtifacts: async ({ query }, context) => {
      const build = await buildFor(context, query.build);
      if (isRefusal(build)) return build;
      const found = await artifacts.find(build.id, query);
      return isRefusal(found) ? found : { artifacts: found.map(viewArtifact) };
    },
  };
}
