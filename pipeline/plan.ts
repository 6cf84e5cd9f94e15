/** A pipeline for one build: conditions evaluated, variables merged, order resolved to dependencies. */
import type { BlockStep, CommandStep, DeployStep, PublishStep, TestStep, WaitStep } from "./step.ts";

/** What is known of a build when it is planned; the names that `if` sees are made from this. */
export interface BuildContext {
  build: {
    number: number;
    branch: string;
    commit: string;
    message: string;
    /** What started it. */
    source: "push" | "pull-request" | "api" | "schedule";
    tag?: string;
    pullRequest?: { id: number; baseBranch: string };
    /** Variables given by whoever started the build. */
    env: Record<string, string>;
    /** User who pushed or started it. */
    creator?: string;
  };
  pipeline: { slug: string; defaultBranch: string };
}

/** JSON-serialisable; steps in the order of the file. */
export interface Plan {
  file: string;
  steps: PlannedStep[];
}

export type SkipReason =
  | { kind: "condition"; expression: string }
  | { kind: "branches"; pattern: string }
  /** A deploy whose publish step is skipped in this build has nothing to deploy. */
  | { kind: "nothing-published" }
  /** A block step behind which everything is skipped asks for nothing. */
  | { kind: "nothing-behind" };

/** `dependsOn` is complete; `skipped` says that the step's own condition is false in this build. */
export type Planned<S> = Omit<S, "if" | "branches" | "dependsOn" | "allowDependencyFailure"> & {
  dependsOn: PlannedDependency[];
  skipped?: SkipReason;
};

export interface PlannedDependency {
  key: string;
  allowFailure: boolean;
}

export type PlannedWork = Planned<CommandStep> | Planned<TestStep> | Planned<PublishStep>;
export type PlannedDeploy = Planned<DeployStep>;
export type PlannedBlock = Planned<BlockStep>;
export type PlannedWait = Planned<WaitStep>;
export type PlannedStep = PlannedWork | PlannedDeploy | PlannedBlock | PlannedWait;
