/** What an agent gets told about a job: its work and its variables. */
import type { Assignment, Cache, Work } from "#api/endpoints/agent.ts";
import type { Manifest } from "../manifest.ts";
import type { BuildContext } from "../build-context.ts";
import { buildVariables } from "../build-variables.ts";
import type { PlannedWork } from "../plan.ts";
import { inFolder } from "../services.ts";

/** Milliseconds that a job may run where the pipeline says nothing. */
const defaultTimeoutMs = 60 * 60 * 1000;

/** The work of a step; throws when a `publish` has no manifest, which planning rules out. */
export function workOf(step: PlannedWork, manifest: Manifest | null, folder = ""): Work {
  if (step.kind === "command")
    return {
      ...{ kind: "command", commands: step.commands },
      ...(step.image ? { image: step.image } : {}),
      ...(step.plugins.length > 0 ? { plugins: step.plugins } : {}),
    };
  if (step.kind === "test") return { kind: "test", compose: inFolder(folder, step.compose), run: step.run };
  if (!manifest) throw new Error("a build with a publish step has no manifest");
  return {
    kind: "publish",
    service: manifest.service,
    context: contextIn(folder, step.context ?? manifest.image.context),
    dockerfile: inFolder(folder, step.dockerfile ?? manifest.image.dockerfile),
    args: { ...manifest.image.args, ...step.args },
  };
}

/** What an image is built from. */
function contextIn(folder: string, context: string): string {
  if (context === "/") return ".";
  return context === "." ? folder || "." : inFolder(folder, context);
}

/** What no context of a build tells. */
interface FactsOfBuild {
  id: string;
  repository: string;
  author: string | null;
  service: string | null;
  /** Of its service; empty for the whole repository. */
  folder: string;
  /** Of a triggered build. */
  parent: { build: string; repository: string; number: number } | null;
}

export interface JobFacts {
  build: FactsOfBuild;
  context: BuildContext;
  step: PlannedWork;
  job: { id: string; attempt: number; agent: string; timeoutMs: number };
}

/** Variables of a job: the pipeline's own, and over them what Buildkite jobs and ours may rely on. */
export function variablesOf(facts: JobFacts): Record<string, string> {
  return {
    ...facts.step.env,
    ...buildVariables(facts.context),
    ...buildkiteVariables(facts),
    ...towlineVariables(facts),
  };
}

function buildkiteVariables({ build, job, step }: JobFacts): Record<string, string> {
  return {
    BUILDKITE_AGENT_NAME: job.agent,
    BUILDKITE_BUILD_AUTHOR: build.author ?? "",
    BUILDKITE_BUILD_ID: build.id,
    BUILDKITE_JOB_ID: job.id,
    BUILDKITE_LABEL: step.label,
    BUILDKITE_PIPELINE_NAME: build.repository,
    BUILDKITE_RETRY_COUNT: String(job.attempt - 1),
    BUILDKITE_STEP_ID: job.id,
    BUILDKITE_STEP_KEY: step.step,
    BUILDKITE_TIMEOUT: String(Math.ceil(job.timeoutMs / 60_000)),
    ...parallelVariables(step),
    ...groupVariables(step),
    ...parentVariables(build.parent),
  };
}

function parallelVariables({ parallel }: PlannedWork): Record<string, string> {
  if (!parallel) return {};
  return { BUILDKITE_PARALLEL_JOB: String(parallel.index), BUILDKITE_PARALLEL_JOB_COUNT: String(parallel.count) };
}

function groupVariables({ group }: PlannedWork): Record<string, string> {
  return group ? { BUILDKITE_GROUP_KEY: group.key, BUILDKITE_GROUP_LABEL: group.label } : {};
}

function parentVariables(parent: FactsOfBuild["parent"]): Record<string, string> {
  if (!parent) return {};
  return {
    BUILDKITE_TRIGGERED_FROM_BUILD_ID: parent.build,
    BUILDKITE_TRIGGERED_FROM_BUILD_NUMBER: String(parent.number),
    BUILDKITE_TRIGGERED_FROM_BUILD_PIPELINE_SLUG: parent.repository,
  };
}

function towlineVariables({ build, job, step }: JobFacts): Record<string, string> {
  return {
    TOWLINE_ATTEMPT: String(job.attempt),
    TOWLINE_BUILD_ID: build.id,
    TOWLINE_JOB_ID: job.id,
    TOWLINE_REPOSITORY: build.repository,
    TOWLINE_STEP_KEY: step.key,
    ...(build.service ? { TOWLINE_SERVICE: build.service } : {}),
    ...(build.folder === "" ? {} : { TOWLINE_FOLDER: build.folder }),
  };
}

type Task = Pick<Assignment, "timeoutMs" | "label" | "folder" | "work" | "junit" | "pacts" | "cache" | "artifactPaths">;

/** All of an assignment that the plan alone decides; its paths as seen from the checkout. `folder`: of the service. */
export function taskOf(step: PlannedWork, manifest: Manifest | null, folder = ""): Task {
  return {
    timeoutMs: step.timeoutMs ?? defaultTimeoutMs,
    label: step.label,
    ...(folder === "" ? {} : { folder }),
    work: workOf(step, manifest, folder),
    ...(step.kind === "test" && step.junit ? { junit: [inFolder(folder, step.junit)] } : {}),
    ...(step.kind === "test" ? pactsOf(step, folder) : {}),
    ...(step.cache ? { cache: cacheIn(step.cache, folder) } : {}),
    ...(step.artifactPaths.length > 0 ? { artifactPaths: artifactPathsIn(folder, step.artifactPaths) } : {}),
  };
}

function pactsOf({ pacts, verify }: { pacts?: string; verify?: string }, folder: string): Pick<Task, "pacts"> {
  if (pacts === undefined && verify === undefined) return {};
  return {
    pacts: {
      ...(pacts === undefined ? {} : { publish: inFolder(folder, pacts) }),
      ...(verify === undefined ? {} : { verify: inFolder(folder, verify) }),
    },
  };
}

/** In one text several may stand, with `;` between them. */
function artifactPathsIn(folder: string, paths: string[]): string[] {
  return folder === "" ? paths : paths.flatMap((each) => each.split(";")).map((each) => inFolder(folder, each.trim()));
}

/** Also the files that its keys name. */
function cacheIn(cache: Cache, folder: string): Cache {
  if (folder === "") return cache;
  const within = (path: string) => inFolder(folder, path);
  const keyIn = (key: string) =>
    key.replaceAll(/\{\{\s*checksum.*?\}\}/g, (slot) =>
      slot.replaceAll(/(["'])(.+?)\1/g, (_, quote: string, path: string) => quote + within(path) + quote),
    );
  return { ...cache, paths: cache.paths.map(within), key: keyIn(cache.key), restoreKeys: cache.restoreKeys.map(keyIn) };
}
