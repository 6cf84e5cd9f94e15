/** A pipeline for one build: conditions evaluated, variables merged, order resolved to dependencies. */
import { matchesBranch } from "./expression/branch-pattern.ts";
import { parseCondition } from "./expression/condition.ts";
import { type Scope, scopeOf } from "./expression/scope.ts";
import type { BuildContext } from "./build-context.ts";
import { ancestors, buildGraph, type Graph } from "./graph.ts";
import { type PlannedDependency, plannedDependencies, type Skipping } from "./planned-dependencies.ts";
import type { BlockStep, CommandStep, DeployStep, Pipeline, PublishStep, Step, TestStep, WaitStep } from "./step.ts";

export type { BuildContext } from "./build-context.ts";

/** JSON-serialisable; steps in the order of the file. */
export interface Plan {
  file: string;
  steps: PlannedStep[];
}

export type SkipReason =
  | { kind: "author"; reason: string }
  | { kind: "condition"; expression: string }
  | { kind: "branches"; pattern: string }
  /** Only builds of the default branch deploy: a pull request's build must neither reach an environment nor wait at its gate. */
  | { kind: "not-default-branch"; defaultBranch: string }
  /** A deploy whose publish step is skipped in this build has nothing to deploy. */
  | { kind: "nothing-published" }
  /** A block step behind which everything is skipped asks for nothing. */
  | { kind: "nothing-behind" };

/** `dependsOn` is complete; `skipped` says that the step's own condition is false in this build. */
export type Planned<S> = Omit<S, "if" | "branches" | "skip" | "dependsOn" | "allowDependencyFailure"> & {
  dependsOn: PlannedDependency[];
  skipped?: SkipReason;
};

export type PlannedWork = Planned<CommandStep> | Planned<TestStep> | Planned<PublishStep>;
export type PlannedDeploy = Planned<DeployStep>;
export type PlannedBlock = Planned<BlockStep>;
export type PlannedWait = Planned<WaitStep>;
export type PlannedStep = PlannedWork | PlannedDeploy | PlannedBlock | PlannedWait;

/** Decides which steps this build has, and what each waits for. The pipeline must have passed its lint. */
export function planPipeline(pipeline: Pipeline, context: BuildContext): Plan {
  const env = { ...context.build.env, ...pipeline.env };
  const graph = buildGraph(pipeline.steps);
  const skipped = skipSteps(pipeline.steps, graph, scopeOf(context, env));
  const skipping = { steps: pipeline.steps, graph, isSkipped: (key: string) => skipped.has(key) };
  const steps = pipeline.steps.map((step) => {
    const reason = skipped.get(step.key);
    return planStep(step, {
      env,
      dependsOn: plannedDependencies(step.key, skipping),
      ...(reason ? { skipped: reason } : {}),
    });
  });
  return { file: pipeline.file, steps };
}

type Skips = ReadonlyMap<string, SkipReason>;

interface Planning {
  env: Record<string, string>;
  dependsOn: PlannedDependency[];
  skipped?: SkipReason;
}

function planStep(step: Step, { env, ...resolved }: Planning): PlannedStep {
  const { if: _if, branches: _branches, skip: _skip, allowDependencyFailure: _allow, ...rest } = step;
  return "env" in rest ? { ...rest, ...resolved, env: { ...env, ...rest.env } } : { ...rest, ...resolved };
}

function skipSteps(steps: readonly Step[], graph: Graph, scope: Scope): Skips {
  const skipped = new Map<string, SkipReason>();
  const skipping = { steps, graph, isSkipped: (key: string) => skipped.has(key) };
  for (const step of steps) {
    const reason = ownSkip(step, scope);
    if (reason) skipped.set(step.key, reason);
  }
  const kept = (kind: Step["kind"]): Step[] => steps.filter((step) => step.kind === kind && !skipped.has(step.key));
  for (const deploy of kept("deploy"))
    if (!hasPublish(deploy, skipping)) skipped.set(deploy.key, { kind: "nothing-published" });
  // From the end, as a gate may stand before nothing but gates.
  for (const block of kept("block").toReversed())
    if (isLast(block, skipping)) skipped.set(block.key, { kind: "nothing-behind" });
  return skipped;
}

function ownSkip(step: Step, scope: Scope): SkipReason | undefined {
  if (step.skip !== undefined) return { kind: "author", reason: step.skip };
  const branch = scope.values["build.branch"];
  if (step.branches !== undefined && !matchesBranch(step.branches, String(branch)))
    return { kind: "branches", pattern: step.branches };
  const defaultBranch = String(scope.values["pipeline.default_branch"]);
  if (step.kind === "deploy" && branch !== defaultBranch) return { kind: "not-default-branch", defaultBranch };
  if (step.if === undefined) return undefined;
  const parsed = parseCondition(step.if);
  if ("problem" in parsed) throw new Error(`unchecked condition in step ${step.key}: ${parsed.problem.message}`);
  return parsed.condition(scope) ? undefined : { kind: "condition", expression: step.if };
}

function hasPublish(deploy: Step, { steps, graph, isSkipped }: Skipping): boolean {
  const before = ancestors(graph, deploy.key);
  return steps.some((step) => step.kind === "publish" && before.has(step.key) && !isSkipped(step.key));
}

/** True when steps wait for this gate and none of them is left in this build. */
function isLast(block: Step, { steps, graph, isSkipped }: Skipping): boolean {
  const behind = steps.filter((step) => step.kind !== "wait" && ancestors(graph, step.key).has(block.key));
  return behind.length > 0 && behind.every((step) => isSkipped(step.key));
}

/** Why a step is skipped, in words. */
export function renderSkipReason(reason: SkipReason): string {
  if (reason.kind === "author") return reason.reason === "" ? "switched off in the pipeline file" : reason.reason;
  if (reason.kind === "branches") return `the branch does not match \`${reason.pattern}\``;
  if (reason.kind === "not-default-branch") return `only builds of \`${reason.defaultBranch}\` deploy`;
  if (reason.kind === "condition") return `\`${reason.expression}\` is false`;
  return reason.kind === "nothing-published"
    ? "this build publishes nothing that could be deployed"
    : "nothing behind this gate is left in this build";
}
