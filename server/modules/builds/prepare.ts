/** Reads the files of a build's commit and gives it a plan, or ends it with what is wrong in them. */
import type { Access } from "#access";
import { isRefusal, refuse, type Refusal, RefusalError } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import type { Task } from "#kernel/jobs.ts";
import type { Log } from "#kernel/log.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { Source } from "#source";
import type { BuildContext } from "#pipeline/build-context.ts";
import { type Fleet, servicesAt } from "#fleet";
import { inFolder, manifestName } from "#pipeline/services.ts";
import { changedFiles, unchangedServices } from "./changed-files.ts";
import { contextOf } from "./core/context.ts";
import { identityOf } from "./core/view.ts";
import { type BuildFiles, planFiles, servingPlaces, type PlannedFiles } from "./core/plan-files.ts";
import type { Fault } from "#pipeline/fault.ts";
import { verifyingSteps } from "#pipeline/choose-steps.ts";
import { pipelineFiles } from "#pipeline/pipeline-names.ts";
import type { Machine } from "./machine.ts";
import type { BuildRow } from "./core/rows.ts";
import { treeFor, withReuseKeys } from "./reuse/reuse-keys.ts";
import { buildsStore } from "./store.ts";

export const prepareTask = "builds.prepare";

const composeTest = "compose.test.yml";
const longestMessage = 10_000;
const readingDeadlineMs = 10 * 60 * 1000;

interface Deps {
  db: Database;
  emit: Emit;
  clock: Clock;
  log: Log;
  source: Pick<Source, "readFile" | "findFiles" | "tree" | "commit" | "changedPaths" | "isAncestor">;
  machine: Machine;
  access: Pick<Access, "roleOf">;
  fleet: Pick<Fleet, "previews">;
}

interface Prepared {
  commit: { message: string; author: string } | undefined;
  planned: PlannedFiles | Refusal;
}

/** Safe to run twice: only a build that is still being prepared is changed. */
export function prepareBuild(deps: Deps): Task {
  const { db, emit, clock, machine } = deps;
  return async (payload) => {
    const { build: id } = payload as { build: string };
    const build = await buildsStore(db).build(id);
    if (build?.state !== "preparing") return;
    const prepared = await prepare(deps, build).catch((error: unknown) => unlessTooLate(build, error));
    await db.transaction().execute(async (tx) => {
      const locked = await buildsStore(tx).lockBuild(id);
      if (locked?.state === "preparing") await take(tx, locked, prepared);
    });
  };

  /** A build does not hold up its branch for ever because a repository cannot be read. */
  function unlessTooLate({ created_at: since }: BuildRow, error: unknown): Prepared {
    if (clock.now().getTime() - since.getTime() < readingDeadlineMs) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return { commit: undefined, planned: refuse("server.failed", `the files could not be read: ${why}`) };
  }

  async function take(tx: Tx, build: BuildRow, { commit, planned }: Prepared): Promise<void> {
    const store = buildsStore(tx);
    if (commit) await store.setCommit(build.id, commit);
    if (isRefusal(planned)) return fail(tx, build, planned);
    const service = planned.manifest?.service ?? null;
    await store.setPlanned(build.id, planned);
    await machine.begin(tx, { ...build, service }, planned.plan);
  }

  async function fail(
    tx: Tx,
    build: BuildRow,
    { refused: code, message, place, fix, details }: Refusal,
  ): Promise<void> {
    const faults = (details?.["faults"] ?? []) as Fault[];
    const fault = { code, message, faults, ...(place ? { place } : {}), ...(fix ? { fix } : {}) };
    await buildsStore(tx).setFault(build.id, fault);
    await buildsStore(tx).setFinished(build.id, "failed", clock.now());
    await emit(tx, `build:${build.id}`, "builds.build-finished", { ...identityOf(build), outcome: "failed" });
  }
}

async function prepare(deps: Deps, build: BuildRow): Promise<Prepared> {
  const { source } = deps;
  const { repository, commit: revision } = build;
  const found = await source.commit(repository, revision);
  if (!found) return { commit: undefined, planned: goneRevision(build) };
  const message = found.message.slice(0, longestMessage);
  const files = await readFiles(deps, build).catch(asRefusal);
  const role = build.creator === null ? undefined : await deps.access.roleOf(build.creator);
  const context = contextOf({ ...build, author: found.author }, build.message ?? message, role);
  const planned = isRefusal(files) ? files : await plan(deps, build, { files, context });
  return { commit: { message, author: found.author }, planned };
}

/** What has changed, and what files there are, is looked up only where the pipeline asks for it. */
async function plan(
  deps: Deps,
  build: BuildRow,
  { files, context }: { files: BuildFiles; context: BuildContext },
): Promise<PlannedFiles | Refusal> {
  const text = files.pipeline?.text ?? "";
  const { services } = files;
  const unchanged = services.length > 0 ? await unchangedServices(deps, build, services) : undefined;
  const asksForChanges = text.includes("if_changed");
  const changed = asksForChanges ? await changedFiles(deps, build, servingPlaces(files, context)) : undefined;
  const planned = planFiles(files, changed ? { ...context, changedFiles: changed } : context, unchanged);
  if (isRefusal(planned)) return planned;
  // What was deployed long ago is neither made nor deployed again: it only answers a question.
  if (build.source === "contract") return { ...planned, plan: verifyingSteps(planned.plan) };
  const keyed = withReuseKeys(planned.plan.steps, await treeFor(deps, build, text), { context, folder: build.folder });
  return {
    ...planned,
    plan: { ...planned.plan, steps: keyed.steps },
    warnings: [...planned.warnings, ...keyed.warnings],
  };
}

async function readFiles({ source, fleet }: Deps, build: BuildRow): Promise<BuildFiles | Refusal> {
  const own = { ...(await readOwn(source, build)), previews: (await fleet.previews()) !== undefined };
  if (build.folder === "" && own.manifest !== undefined) return own;
  const services = await servicesAt(source, build.repository, build.commit);
  if (isRefusal(services)) return services;
  if (build.folder === "") return { ...own, services };
  const service = services.find(({ folder }) => folder === build.folder);
  // Those of the manifest itself are found again where it is read.
  const placeFaults = service?.manifest ? service.faults : [];
  return { ...own, placeFaults };
}

/** The files of the service, or of the whole repository. */
async function readOwn(
  source: Deps["source"],
  { repository, commit, folder }: BuildRow,
): Promise<Omit<BuildFiles, "previews">> {
  const [manifestFile, composeFile] = [inFolder(folder, manifestName), inFolder(folder, composeTest)];
  const ownPipelines = pipelineFiles.map((file) => inFolder(folder, file));
  // Asked for at once, because that costs one process of git, and then looked at in order.
  const reads = new Map(
    [manifestFile, ...ownPipelines, composeFile].map((path) => [path, source.readFile(repository, commit, path)]),
  );
  for (const each of reads.values()) each.catch(() => {});
  const read = async (path: string) => reads.get(path);
  const manifest = await read(manifestFile);
  const files = { folder, placeFaults: [], services: [], manifest };
  for (const file of ownPipelines) {
    const text = await read(file);
    if (text !== undefined) return { ...files, pipeline: { file, text }, hasComposeTest: false };
  }
  return { ...files, pipeline: undefined, hasComposeTest: (await read(composeFile)) !== undefined };
}

/** A file that is too large to be read is its author's to mend; trying again would not help. */
function asRefusal(error: unknown): Refusal {
  if (error instanceof RefusalError) return error.refusal;
  throw error;
}

const goneRevision = ({ repository, commit }: BuildRow): Refusal =>
  refuse("git.bad-revision", `the repository ${repository} has no commit ${commit} any more`, {
    fix: "Push the branch again.",
  });
