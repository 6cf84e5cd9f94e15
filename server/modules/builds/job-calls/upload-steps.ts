/** What a job adds to its own build. */
import type { Access } from "#access";
import type { Role } from "#api/endpoint.ts";
import type { PipelineUpload, UploadedPipeline } from "#api/endpoints/job.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Log } from "#kernel/log.ts";
import { buildVariables } from "#pipeline/build-variables.ts";
import { type Parsed, refuseFaults } from "#pipeline/fault.ts";
import { withoutRest } from "#pipeline/machine/replace.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import { parsePipeline } from "#pipeline/pipeline-file.ts";
import type { TreeFile } from "#pipeline/reuse.ts";
import type { Pipeline } from "#pipeline/step.ts";
import { namesOf, planUpload } from "#pipeline/upload.ts";
import type { Source } from "#source";
import { changedFiles } from "../changed-files.ts";
import { contextOf } from "../core/context.ts";
import type { BuildRow, JobRow } from "../core/rows.ts";
import { staleLease } from "../leases/leasing.ts";
import type { Machine } from "../machine.ts";
import { treeFor, withReuseKeys } from "../reuse/reuse-keys.ts";
import { buildsStore } from "../store.ts";

export type UploadSteps = (job: JobRow, given: PipelineUpload) => Promise<UploadedPipeline | Refusal>;

interface Deps {
  db: Database;
  machine: Machine;
  log: Log;
  access: Pick<Access, "roleOf">;
  source: Pick<Source, "tree" | "changedPaths">;
}

/** What is found out before the transaction, which must not wait for a second connection while it holds the build. */
interface Known {
  role: Role | undefined;
  files: TreeFile[] | undefined;
  changed: string[] | undefined;
}

/** Read and planned under the build's lock: what names stand for depends on what other jobs add. */
export function createUploadSteps(deps: Deps): UploadSteps {
  const { db, machine, access } = deps;

  async function upload(
    tx: Tx,
    job: JobRow,
    { given, role, files, changed }: Known & { given: PipelineUpload },
  ): Promise<UploadedPipeline | Refusal> {
    const build = await buildsStore(tx).lockBuild(job.build);
    if (!build?.machine || !job.token_hash) return staleLease();
    const { state, removed } = given.replace ? withoutRest(build.machine) : { state: build.machine, removed: [] };
    const parsed = read(build, state, { job, given });
    if (parsed.errors) return refuseFaults("pipeline.invalid", parsed.errors);
    if (parsed.value.steps.some(({ kind }) => kind === "publish") && !build.manifest) return noManifest();
    const facts = contextOf(build, build.message ?? "", role);
    const context = changed ? { ...facts, changedFiles: changed } : facts;
    const planned = planUpload(state.plan, parsed.value, context);
    const { steps, warnings } = withReuseKeys(planned, files, { context, folder: build.folder });
    await buildsStore(tx).markWrote(job);
    const { upload: id, replace } = given;
    const ask = { type: "upload" as const, step: job.step, token: job.token_hash, upload: id, steps, replace };
    const done = await machine.act(tx, build.id, { ...ask, notify: parsed.value.notify });
    if (isRefusal(done)) return done;
    const keys = done.uploads?.find(({ id }) => id === given.upload)?.keys ?? [];
    return { steps: keys, removed, warnings: [...parsed.warnings, ...warnings] };
  }

  async function find(id: string, text: string): Promise<Known> {
    const build = await buildsStore(db).build(id);
    if (!build) return { role: undefined, files: undefined, changed: undefined };
    const role = build.creator ? await access.roleOf(build.creator) : undefined;
    const steps = build.machine?.plan.steps ?? [];
    const environments = steps.flatMap((step) => (step.kind === "deploy" ? [step.environment] : []));
    const changed = text.includes("if_changed")
      ? await changedFiles(deps, build, { service: build.service ?? "", environments })
      : undefined;
    return { role, files: await treeFor(deps, build, text), changed };
  }

  return async (job, given) => {
    const known = await find(job.build, given.text);
    return db.transaction().execute((tx) => upload(tx, job, { ...known, given }));
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
