/** The steps of a pipeline as written: checked, nothing evaluated yet; groups, matrices and `parallelism` are spelt out. */
import type { Place } from "#api/errors.ts";

export interface Pipeline {
  file: string;
  /** Variables of every job. */
  env: Record<string, string>;
  /** One entry a job: a step with a matrix or `parallelism` is there several times, a group's steps stand in its place. */
  steps: Step[];
  /** Who is told of the build. */
  notify: Notification[];
  /** Counts for every step, beside its own and its group's. */
  ifChanged?: ChangeFilter;
}

export type Step =
  | CommandStep
  | TestStep
  | PublishStep
  | DeployStep
  | TriggerStep
  | BlockStep
  | InputStep
  | WaitStep
  | UnknownStep;
export type StepKind = Step["kind"];

/** Plain JSON, as a plugin's configuration is. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** An edge of the graph; `allowFailure` goes on even where the step failed. `step`: key of a step, of a job or of a group. */
export interface Dependency {
  step: string;
  allowFailure: boolean;
}

interface StepBase {
  /** Unique in the pipeline: `step`, and after it what sets this job apart (`rspec/linux/20`, `rspec/1`). */
  key: string;
  /** The key as written, or made from label or kind; the jobs of one matrix share it. */
  step: string;
  label: string;
  place: Place;
  group?: StepGroup;
  /** Absent: the order of the file counts. An empty list: may start at once. */
  dependsOn?: Dependency[];
  allowDependencyFailure: boolean;
  /** Expression, checked; see `condition.ts`. */
  if?: string;
  /** Branch patterns of Buildkite, checked; see `branch-pattern.ts`. */
  branches?: string;
  /** Why the author switched it off; may be empty. */
  skip?: string;
  ifChanged?: ChangeFilter;
}

/** The group that a step was written in; its rules count beside those of the step. */
export interface StepGroup {
  /** Unique among steps and groups. */
  key: string;
  label: string;
  place: Place;
  dependsOn?: Dependency[];
  allowDependencyFailure: boolean;
  if?: string;
  skip?: string;
  ifChanged?: ChangeFilter;
}

/** Globs; see `glob.ts`. The step runs where a changed file fits `include` and not `exclude`. */
export interface ChangeFilter {
  include: string[];
  exclude: string[];
}

/** What a matrix or `parallelism` made of a step. */
interface Expanded {
  /** Values by dimension; the dimension of a plain list is "". */
  matrix?: Record<string, string>;
  /** `index` counts from 0. */
  parallel?: { index: number; count: number };
}

/** At most `limit` jobs of a group at a time, over all builds. `ordered`: in the order in which they were made. */
export interface Concurrency {
  group: string;
  limit: number;
  method: "ordered" | "eager";
}

/** What all steps share that run on an agent. */
export interface WorkStep extends StepBase, Expanded {
  env: Record<string, string>;
  timeoutMs?: number;
  /** True: any failure is soft. A list: only these exit statuses. */
  softFail: boolean | number[];
  retry: Retry;
  /** Image of the job's container. */
  image?: string;
  /** Tags that the agent must have. */
  agents: Record<string, string>;
  artifactPaths: string[];
  cancelOnBuildFailing: boolean;
  /** Of two jobs that are ready the one with the higher number goes first; absent, it is 0. */
  priority?: number;
  concurrency?: Concurrency;
  plugins: Plugin[];
  cache?: Cache;
  /** What decides the result: unchanged, an earlier result may be used again. Absent: never. */
  inputs?: Inputs;
  /** Name of a secret by name of the variable that gets it. */
  secrets: Record<string, string>;
  notify: Notification[];
}

export interface Retry {
  automatic: RetryRule[];
  manual: { allowed: boolean; reason?: string; permitOnPassed: boolean };
}

/** The first rule that matches counts, and all that it names must fit; `limit` is per rule. */
export interface RetryRule {
  exitStatus: "*" | number[];
  /** As Buildkite writes it: `SIGKILL`, `kill`, `none`, or `*` for any. */
  signal?: string;
  signalReason?: SignalReason;
  limit: number;
}

export const signalReasons = [
  "*",
  "none",
  "agent_lost",
  "agent_refused",
  "agent_stop",
  "cancel",
  "process_run_error",
  "signature_rejected",
  "stack_error",
] as const;
export type SignalReason = (typeof signalReasons)[number];

/** `source`: `docker-compose#v5.1.0`, `owner/name#ref`, a Git address, or a folder of the repository (`./…`). */
export interface Plugin {
  source: string;
  config: Json;
}

export interface Cache {
  paths: string[];
  /** What names the content; `{{ checksum "file" }}` in it stands for a file's digest. */
  key: string;
  /** Beginnings of keys that serve where `key` itself is not there, in this order. */
  restoreKeys: string[];
  /** Bytes that it may take. */
  size?: number;
}

/** `files` and `exclude` are globs, checked; `env` names variables of the build beside those that the step has anyhow. */
export interface Inputs {
  files: string[];
  exclude: string[];
  env: string[];
}

/** One entry of `notify`: the kind of Buildkite (`slack`, `email`, `webhook` …) and what it takes. */
export interface Notification {
  kind: string;
  config: Json;
  /** Expression, checked. */
  if?: string;
}

export interface CommandStep extends WorkStep {
  kind: "command";
  /** Lines of shell, run in order in one shell. */
  commands: string[];
}

export interface TestStep extends WorkStep {
  kind: "test";
  /** Compose file; path in the repository. */
  compose: string;
  /** Compose service whose exit status is the result. */
  run: string;
  /** Glob of JUnit XML files to keep. */
  junit?: string;
  /** Glob of the pacts that it writes: they are published once it has passed. */
  pacts?: string;
  /** Folder in which it finds the pacts that others have with its service, and below which it leaves what came of each. */
  verify?: string;
}

/** Unset parts come from the manifest's `image`. */
export interface PublishStep extends WorkStep {
  kind: "publish";
  context?: string;
  dockerfile?: string;
  args: Record<string, string>;
}

export interface DeployStep extends StepBase, Pick<Expanded, "matrix"> {
  kind: "deploy";
  environment: string;
  retry: Retry;
  concurrency?: Concurrency;
}

/** Starts a build of another pipeline, and waits for its end unless it is `async`. */
export interface TriggerStep extends StepBase {
  kind: "trigger";
  /** Name of the repository, with `/service` where it has several. */
  pipeline: string;
  /** Of the steps that a build of a repository with several services has by itself: what it starts is a build of this one. */
  service?: { name: string; folder: string };
  async: boolean;
  build: {
    message?: string;
    branch?: string;
    commit?: string;
    env: Record<string, string>;
    metaData: Record<string, string>;
  };
  softFail: boolean | number[];
  parallel?: { index: number; count: number };
  concurrency?: Concurrency;
}

/** What a person is asked at a gate. */
interface Form {
  prompt?: string;
  /** Roles that may answer; empty: every role that may act on builds. */
  roles: string[];
  fields: Field[];
}

export type Field = TextField | SelectField;

interface FieldBase {
  /** Name of the meta-data that keeps the answer; unique in the step. */
  key: string;
  label: string;
  hint?: string;
  required: boolean;
}

export interface TextField extends FieldBase {
  kind: "text";
  default?: string;
  /** Regular expression that the whole answer must fit, checked; see `regex.ts`. */
  format?: string;
}

/** Several answers are kept as lines. */
export interface SelectField extends FieldBase {
  kind: "select";
  multiple: boolean;
  options: { label: string; value: string; hint?: string }[];
  default: string[];
}

export interface BlockStep extends StepBase, Form {
  kind: "block";
  /** What the build is called while it stands here. */
  blockedState: "passed" | "failed" | "running";
}

/** A block step for which nothing waits that does not name it. */
export interface InputStep extends StepBase, Form {
  kind: "input";
}

export interface WaitStep extends StepBase {
  kind: "wait";
  continueOnFailure: boolean;
}

/** A step of a kind that nothing here knows: kept, skipped in every build, and said so. */
export interface UnknownStep extends StepBase {
  kind: "unknown";
}
