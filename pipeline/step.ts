/** The steps of a pipeline as written: checked, nothing evaluated yet. */
import type { Place } from "#api/errors.ts";

export interface Pipeline {
  file: string;
  /** Variables of every job. */
  env: Record<string, string>;
  steps: Step[];
}

export type Step = CommandStep | TestStep | PublishStep | DeployStep | BlockStep | WaitStep;
export type StepKind = Step["kind"];

/** An edge of the graph; `allowFailure` goes on even where the step failed. */
export interface Dependency {
  step: string;
  allowFailure: boolean;
}

interface StepBase {
  /** As given, or made from label or kind; unique in the pipeline. */
  key: string;
  label: string;
  place: Place;
  /** Absent: the order of the file counts. An empty list: may start at once. */
  dependsOn?: Dependency[];
  allowDependencyFailure: boolean;
  /** Expression, checked; see `condition.ts`. */
  if?: string;
  /** Branch patterns of Buildkite, checked; see `branch-pattern.ts`. */
  branches?: string;
  /** Why the author switched it off; may be empty. */
  skip?: string;
}

/** What all steps share that run on an agent. */
export interface WorkStep extends StepBase {
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
}

export interface Retry {
  automatic: RetryRule[];
  manual: { allowed: boolean; reason?: string };
}

/** The first rule that matches counts; `limit` is per rule. */
export interface RetryRule {
  exitStatus: "*" | number[];
  limit: number;
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
}

/** Unset parts come from the manifest's `image`. */
export interface PublishStep extends WorkStep {
  kind: "publish";
  context?: string;
  dockerfile?: string;
  args: Record<string, string>;
}

export interface DeployStep extends StepBase {
  kind: "deploy";
  environment: string;
  retry: Retry;
}

export interface BlockStep extends StepBase {
  kind: "block";
  prompt?: string;
  /** Roles that may unblock; empty: every role that may act on builds. */
  roles: string[];
}

export interface WaitStep extends StepBase {
  kind: "wait";
  continueOnFailure: boolean;
}
