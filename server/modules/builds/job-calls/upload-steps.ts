/** What a job adds to its own build. */
import type { Access } from "#access";
import type { Role } from "#api/endpoint.ts";
import type { PipelineUpload, UploadedPipeline } from "#api/endpoints/job.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Database, Tx } from "#kernel/database.ts";
import { buildVariables } from "#pipeline/build-variables.ts";
import { type Parsed, refuseFaults } from "#pipeline/fault.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import { parsePipeline } from "#pipeline/pipeline-file.ts";
import type { Pipeline } from "#pipeline/step.ts";
import { namesOf, planUpload } from "#pipeline/upload.ts";
import { contextOf } from "../core/context.ts";
import type { BuildRow, JobRow } from "../core/rows.ts";
import { staleLease } from "../leases/leasing.ts";
import type { Machine } from "../machine.ts";
import { buildsStore } from "../store.ts";

export type UploadSteps = (job: JobRow, given: PipelineUpload) => Promise<UploadedPipeline | Refusal>;

interface Deps {
  db: Database;
  machine: Machine;
  access: Pick<Access, "roleOf">;
}

/** Read and planned under the build's lock: what names stand for depends on what other jobs add. */
export function createUploadSteps({ db, machine, access }: Deps): UploadSteps {
  async function upload(
    tx: Tx,
    job: JobRow,
    { given, role }: { given: PipelineUpload; role: Role | undefined },
  ): Promise<UploadedPipeline | Refusal> {
    const build = await buildsStore(tx).lockBuild(job.build);
    if (!build?.machine || !job.token_hash) return staleLease();
    const parsed = read(build, build.machine, { job, given });
    if (parsed.errors) return refuseFaults("pipeline.invalid", parsed.errors);
    if (parsed.value.steps.some(({ kind }) => kind === "publish") && !build.manifest) return noManifest();
    const steps = planUpload(build.machine.plan, parsed.value, contextOf(build, build.message ?? "", role));
    const ask = { type: "upload" as const, step: job.step, token: job.token_hash, upload: given.upload, steps };
    const done = await machine.act(tx, build.id, ask);
    if (isRefusal(done)) return done;
    const keys = done.uploads?.find(({ id }) => id === given.upload)?.keys ?? [];
    return { steps: keys, warnings: parsed.warnings };
  }

  // Before the transaction, which must not wait for a second connection while it holds the build.
  async function creatorRole(id: string): Promise<Role | undefined> {
    const creator = (await buildsStore(db).build(id))?.creator;
    return creator ? access.roleOf(creator) : undefined;
  }

  return async (job, given) => {
    const role = await creatorRole(job.build);
    return db.transaction().execute((tx) => upload(tx, job, { given, role }));
  };
}

function read(
  build: BuildRow,
  { plan, uploads = [] }: BuildState,
  { job, given }: { job: JobRow; given: PipelineUpload },
): Parsed<Pipeline> {
  const { file, text, interpolate, variables } = given;
  const facts = buildVariables(contextOf(build, build.message ?? ""));
  const earlier = uploads.filter(({ by, attempt }) => by === job.step && attempt < job.attempt);
  return parsePipeline({
    ...{ file, text, interpolate, variables: { ...facts, ...variables } },
    ...{ outside: namesOf(plan), reusable: earlier.flatMap(({ keys }) => keys) },
  });
}

const noManifest = (): Refusal =>
  refuse("manifest.missing", "a publish step needs a towline.yml, and the build has none");
