/** What jobs leave with their build: meta-data, annotations and artifacts; all that serves them, in one piece. */
import type { FastifyInstance } from "fastify";
import type { buildRecordEndpoints } from "#api/endpoints/build-records.ts";
import type { jobEndpoints } from "#api/endpoints/job.ts";
import type { Blobs } from "#drivers/blobs/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Fleet } from "#fleet";
import type { Database } from "#kernel/database.ts";
import type { Handlers, HttpDeps } from "#kernel/http.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import { registerArtifacts } from "./artifact-transfer.ts";
import { createArtifacts } from "./artifacts.ts";
import { createJobCaller } from "../job-calls/job-caller.ts";
import { jobRoutes } from "../job-calls/job-routes.ts";
import { recordRoutes } from "./record-routes.ts";
import type { UpdateStep } from "../job-calls/update-step.ts";
import type { UploadSteps } from "../job-calls/upload-steps.ts";
import { createRetention } from "../retention.ts";

interface Deps {
  db: Database;
  jobs: Jobs;
  clock: Clock;
  log: Log;
  blobs: Blobs;
  diskFloor: number;
  artifactDays?: number;
  uploadSteps: UploadSteps;
  updateStep: UpdateStep;
  fleet: Pick<Fleet, "jobSecrets">;
}

export interface BuildRecords {
  handlers: Handlers<typeof jobEndpoints & typeof buildRecordEndpoints>;
  /** The content of artifacts. */
  register(app: FastifyInstance, authenticate: HttpDeps["authenticate"]): void;
  tasks: Record<string, Task>;
  start(): Promise<void>;
}

export function createBuildRecords(deps: Deps): BuildRecords {
  const { db } = deps;
  const artifacts = createArtifacts(deps);
  const caller = createJobCaller(db);
  return {
    handlers: { ...jobRoutes({ ...deps, caller, artifacts }), ...recordRoutes({ db, artifacts }) },
    register: (app, authenticate) => registerArtifacts(app, { ...deps, artifacts, caller, authenticate }),
    ...createRetention({ ...deps, artifacts }),
  };
}
