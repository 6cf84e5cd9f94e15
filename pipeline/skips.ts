/** Which steps a build leaves out, and why. */
import type { BuildContext } from "./build-context.ts";
import { matchesBranch } from "./expression/branch-pattern.ts";
import { parseCondition } from "./expression/condition.ts";
import { compileGlob } from "./expression/glob.ts";
import type { Fuel } from "./expression/regex.ts";
import { type Scope, scopeOf } from "./expression/scope.ts";
import { ancestors, type Graph } from "./graph.ts";
import type { Skipping } from "./planned-dependencies.ts";
import type { ChangeFilter, Step } from "./step.ts";

export type SkipReason =
  | { kind: "author"; reason: string }
  | { kind: "condition"; expression: string }
  | { kind: "branches"; pattern: string }
  /** `if_changed`: no changed file is one of these. */
  | { kind: "unchanged"; include: string[] }
  /** Of a repository with several services: none of its files has changed. */
  | { kind: "service-unchanged"; paths: string[] }
  | { kind: "unknown-step" }
  /** Only builds of the default branch deploy: a pull request's build must neither reach an environment nor wait at its gate. */
  | { kind: "not-default-branch"; defaultBranch: string }
  /** A deploy whose publish step is skipped in this build has nothing to deploy. */
  | { kind: "nothing-published" }
  /** A gate behind which everything is skipped asks for nothing. */
  | { kind: "nothing-behind" }
  /** A run on a person's own machine leaves alone what others see. */
  | { kind: "needs-platform" }
  /** Somebody wanted other steps. */
  | { kind: "not-chosen" };

export type Skips = ReadonlyMap<string, SkipReason>;

interface Facts {
  branch: string;
  defaultBranch: string;
  isLocal: boolean;
  isTrue: (expression: string) => boolean;
  hasChanged: (filter: ChangeFilter) => boolean;
}

export function skipSteps(
  { steps, graph, ifChanged }: { steps: readonly Step[]; graph: Graph; ifChanged?: ChangeFilter | undefined },
  context: BuildContext,
  env: Record<string, string>,
): Skips {
  const skipped = new Map<string, SkipReason>();
  const skipping = { steps, graph, isSkipped: (key: string) => skipped.has(key) };
  const { build, pipeline, changedFiles } = context;
  const scope = scopeOf(context, env);
  const fuel = { left: changesFuel };
  const facts = {
    branch: build.branch,
    defaultBranch: pipeline.defaultBranch,
    isLocal: context.local ?? false,
    // The jobs of one step share both, and neither is cheap.
    isTrue: once((expression) => isTrue(expression, scope)),
    hasChanged: once((filter) => hasChanged(filter, changedFiles, fuel)),
  } satisfies Facts;
  for (const step of steps) {
    const reason = ownSkip(step, facts, ifChanged);
    if (reason) skipped.set(step.key, reason);
  }
  const kept = (...kinds: Step["kind"][]): Step[] =>
    steps.filter(({ kind, key }) => kinds.includes(kind) && !skipped.has(key));
  for (const deploy of kept("deploy"))
    if (!hasPublish(deploy, skipping)) skipped.set(deploy.key, { kind: "nothing-published" });
  // From the end, as a gate may stand before nothing but gates.
  for (const gate of kept("block", "input").toReversed())
    if (isLast(gate, skipping)) skipped.set(gate.key, { kind: "nothing-behind" });
  return skipped;
}

const seenByOthers: ReadonlySet<Step["kind"]> = new Set(["publish", "deploy", "trigger"]);

/** The group's own rules come first: they say more to a reader than those of one step. */
function ownSkip(step: Step, facts: Facts, ofFile: ChangeFilter | undefined): SkipReason | undefined {
  if (step.kind === "unknown") return { kind: "unknown-step" };
  const { group } = step;
  const { branch, defaultBranch } = facts;
  const off = group?.skip ?? step.skip;
  if (off !== undefined) return { kind: "author", reason: off };
  if (facts.isLocal && seenByOthers.has(step.kind)) return { kind: "needs-platform" };
  if (step.branches !== undefined && !matchesBranch(step.branches, branch))
    return { kind: "branches", pattern: step.branches };
  if (step.kind === "deploy" && branch !== defaultBranch) return { kind: "not-default-branch", defaultBranch };
  const expression = [group?.if, step.if].find((text) => text !== undefined && !facts.isTrue(text));
  if (expression !== undefined) return { kind: "condition", expression };
  const filter = [ofFile, group?.ifChanged, step.ifChanged].find((each) => each && !facts.hasChanged(each));
  return filter && { kind: "unchanged", include: filter.include };
}

function isTrue(expression: string, scope: Scope): boolean {
  const parsed = parseCondition(expression);
  if ("problem" in parsed) throw new Error(`unchecked condition \`${expression}\`: ${parsed.problem.message}`);
  return parsed.condition(scope);
}

function once<T>(ask: (question: T) => boolean): (question: T) => boolean {
  const answers = new Map<string, boolean>();
  return (question) => {
    const key = JSON.stringify(question);
    const answer = answers.get(key) ?? ask(question);
    answers.set(key, answer);
    return answer;
  };
}

/** What the patterns of one plan may cost: less than a second. Beyond it everything counts as changed, which errs on the safe side. */
const changesFuel = 5_000_000;

function hasChanged({ include, exclude }: ChangeFilter, changed: readonly string[] | undefined, fuel: Fuel): boolean {
  if (!changed) return true;
  const includes = include.map(matcherOf);
  const excludes = exclude.map(matcherOf);
  return changed.some((path) => {
    fuel.left--;
    const isIn = includes.some((fits) => fits(path, fuel)) && !excludes.some((fits) => fits(path, fuel));
    return isIn || fuel.left < 0;
  });
}

function matcherOf(glob: string): (path: string, fuel: Fuel) => boolean {
  const compiled = compileGlob(glob);
  if ("problem" in compiled) throw new Error(`unchecked glob \`${glob}\`: ${compiled.problem}`);
  return compiled.matches;
}

function hasPublish(deploy: Step, { steps, graph, isSkipped }: Skipping): boolean {
  const before = ancestors(graph, deploy.key);
  return steps.some((step) => step.kind === "publish" && before.has(step.key) && !isSkipped(step.key));
}

/** True when steps wait for this gate and none of them is left in this build. */
function isLast(gate: Step, { steps, graph, isSkipped }: Skipping): boolean {
  const behind = steps.filter((step) => step.kind !== "wait" && ancestors(graph, step.key).has(gate.key));
  return behind.length > 0 && behind.every((step) => isSkipped(step.key));
}

/** Why a step is skipped, in words. */
export function renderSkipReason(reason: SkipReason): string {
  return renderers[reason.kind](reason as never);
}

type Renderers = { [K in SkipReason["kind"]]: (reason: Extract<SkipReason, { kind: K }>) => string };

const renderers: Renderers = {
  author: ({ reason }) => (reason === "" ? "switched off in the pipeline file" : reason),
  branches: ({ pattern }) => `the branch does not match \`${pattern}\``,
  "not-default-branch": ({ defaultBranch }) => `only builds of \`${defaultBranch}\` deploy`,
  condition: ({ expression }) => `\`${oneLine(expression)}\` is false`,
  unchanged: ({ include }) => `no changed file is in ${include.map((glob) => `\`${glob}\``).join(", ")}`,
  "service-unchanged": ({ paths }) => `nothing of this service changed: ${paths.join(", ")}`,
  "unknown-step": () => "nothing here knows what this step does",
  "nothing-published": () => "this build publishes nothing that could be deployed",
  "nothing-behind": () => "nothing behind this gate is left in this build",
  "needs-platform": () => "only the platform publishes, deploys and triggers",
  "not-chosen": () => "other steps were asked for",
};

/** Why a step that is not skipped is there, in words. */
export function renderRunReason(
  { group, ...step }: Step,
  changedFiles: readonly string[] | undefined,
  ofFile?: ChangeFilter,
): string {
  const conditions = [group?.if, step.if].flatMap((text) =>
    text === undefined ? [] : [`\`${oneLine(text)}\` is true`],
  );
  const branches = step.branches === undefined ? [] : [`the branch matches \`${step.branches}\``];
  const hasFilter = Boolean(step.ifChanged ?? group?.ifChanged ?? ofFile);
  const changes = changedFiles ? "a file it looks at has changed" : "which files have changed is not known";
  const reasons = [...conditions, ...branches, ...(hasFilter ? [changes] : [])];
  return reasons.join(", ") || "always";
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
