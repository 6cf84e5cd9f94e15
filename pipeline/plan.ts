/** A pipeline for one build: conditions evaluated, variables merged, order resolved to dependencies. */
import type { BuildContext } from "./build-context.ts";
import { buildGraph, type Graph } from "./graph.ts";
import { type PlannedDependency, plannedDependencies } from "./planned-dependencies.ts";
import { type SkipReason, skipSteps } from "./skips.ts";
import type {
  BlockStep,
  CommandStep,
  DeployStep,
  InputStep,
  Notification,
  Pipeline,
  PublishStep,
  Step,
  TestStep,
  TriggerStep,
  UnknownStep,
  WaitStep,
} from "./step.ts";

/** JSON-serialisable; one entry a job, in the order of the file. */
export interface Plan {
  file: string;
  steps: PlannedStep[];
  /** Who is told of the build; absent: nobody. */
  notify?: Notification[];
}

/** `dependsOn` is complete, by key of job; `skipped` says that the step's own condition is false in this build. */
export type Planned<S> = Omit<S, Evaluated> & {
  dependsOn: PlannedDependency[];
  group?: { key: string; label: string };
  skipped?: SkipReason;
  /** Of a step with `inputs`: all that decides its result, in one word. Put in by the server, which has Git. */
  reuseKey?: string;
};

type Evaluated = "if" | "branches" | "skip" | "ifChanged" | "dependsOn" | "allowDependencyFailure" | "group";

export type PlannedWork = Planned<CommandStep> | Planned<TestStep> | Planned<PublishStep>;
export type PlannedDeploy = Planned<DeployStep>;
export type PlannedTrigger = Planned<TriggerStep>;
export type PlannedBlock = Planned<BlockStep>;
export type PlannedInput = Planned<InputStep>;
export type PlannedWait = Planned<WaitStep>;
export type PlannedUnknown = Planned<UnknownStep>;
export type PlannedStep =
  | PlannedWork
  | PlannedDeploy
  | PlannedTrigger
  | PlannedBlock
  | PlannedInput
  | PlannedWait
  | PlannedUnknown;

/** Decides which steps this build has, and what each waits for. The pipeline must have passed its lint. */
export function planPipeline(pipeline: Pipeline, context: BuildContext): Plan {
  const graph = buildGraph(pipeline.steps);
  const steps = planJobs(pipeline, context, { own: graph, all: graph, before: [] });
  const { file, notify } = pipeline;
  return { file, steps, ...(notify.length > 0 ? { notify } : {}) };
}

interface Around {
  /** What the pipeline's own steps wait for. */
  own: Graph;
  /** The same of all steps of the build. */
  all: Graph;
  /** Steps that the build has already. */
  before: readonly PlannedStep[];
}

export function planJobs(pipeline: Pipeline, context: BuildContext, { own, all, before }: Around): PlannedStep[] {
  const env = { ...context.build.env, ...pipeline.env };
  const skipped = skipSteps({ steps: pipeline.steps, graph: own, ifChanged: pipeline.ifChanged }, context, env);
  const skippedBefore = new Set(before.filter((step) => step.skipped).map(({ key }) => key));
  const isSkipped = (key: string) => skipped.has(key) || skippedBefore.has(key);
  const skipping = { steps: [...before, ...pipeline.steps], graph: all, isSkipped };
  return pipeline.steps.map((step) => {
    const reason = skipped.get(step.key);
    return planStep(step, {
      env,
      dependsOn: plannedDependencies(step.key, skipping),
      ...(reason ? { skipped: reason } : {}),
    });
  });
}

interface Planning {
  env: Record<string, string>;
  dependsOn: PlannedDependency[];
  skipped?: SkipReason;
}

function planStep(step: Step, { env, ...resolved }: Planning): PlannedStep {
  const { if: _if, branches: _branches, skip: _skip, ifChanged: _ifChanged, ...unevaluated } = step;
  const { allowDependencyFailure: _allow, group, ...rest } = unevaluated;
  const within = group ? { group: { key: group.key, label: group.label } } : {};
  return "env" in rest
    ? { ...rest, ...resolved, ...within, env: { ...env, ...rest.env } }
    : { ...rest, ...resolved, ...within };
}
