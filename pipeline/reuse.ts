/**
 * Whether a result of a step may be used again: all that decides it, as one text. Two builds whose texts are the same would do the
 * same; whoever keeps results hashes it.
 */
import { compileGlob } from "./expression/glob.ts";
import type { Fuel } from "./expression/regex.ts";
import type { Fault } from "./fault.ts";
import type { PlannedStep, PlannedWork } from "./plan.ts";
import { parsePluginSource } from "./plugin-source.ts";
import type { Inputs } from "./step.ts";

/** A file of a commit. `id`: its mode and the id of its content. */
export interface TreeFile {
  path: string;
  id: string;
}

export interface Reusable {
  /** Text by key of job, for jobs whose results may be used again. */
  bases: Map<string, string>;
  warnings: Fault[];
}

/** What the patterns of one plan may cost: less than a second. Steps beyond it run, which errs on the safe side. */
const matchingFuel = 5_000_000;

/** `variables`: those of the build, which a step may name in its `inputs`. */
export function reusable(
  steps: readonly PlannedStep[],
  files: readonly TreeFile[],
  variables: Readonly<Record<string, string>>,
): Reusable {
  const fuel = { left: matchingFuel };
  const chosen = new Map<string, Chosen>();
  const found: Reusable = { bases: new Map(), warnings: [] };
  for (const step of steps) {
    if (!hasInputs(step) || step.skipped || saysOfContracts(step)) continue;
    const name = JSON.stringify(step.inputs);
    const choice = chosen.get(name) ?? choose(step.inputs, files, fuel);
    // Jobs of one step share their patterns, and what is wrong with them is said once.
    if (!chosen.has(name)) found.warnings.push(...choice.unfit.map((glob) => unfit(step, glob)));
    chosen.set(name, choice);
    if (choice.files.length > 0) found.bases.set(step.key, baseOf(step, { choice, files, variables }));
  }
  return found;
}

/** What it says holds for this commit. */
const saysOfContracts = (step: PlannedStep) =>
  step.kind === "test" && (step.pacts !== undefined || step.verify !== undefined);

type WithInputs = Exclude<PlannedWork, { kind: "publish" }> & { inputs: Inputs };

function hasInputs(step: PlannedStep): step is WithInputs {
  return (step.kind === "command" || step.kind === "test") && step.inputs !== undefined;
}

interface Chosen {
  /** None: nothing is known to decide the result, and a slip in a pattern must not keep it for ever. */
  files: TreeFile[];
  /** Patterns that no file fits. */
  unfit: string[];
}

function choose({ files: include, exclude }: Inputs, files: readonly TreeFile[], fuel: Fuel): Chosen {
  const includes = include.map((glob) => ({ glob, fits: matcherOf(glob), isFit: false }));
  const excludes = exclude.map(matcherOf);
  const found = files.filter(({ path }) => {
    fuel.left--;
    const fitting = includes.filter(({ fits }) => fits(path, fuel));
    for (const each of fitting) each.isFit = true;
    return fitting.length > 0 && !excludes.some((fits) => fits(path, fuel));
  });
  if (fuel.left < 0) return { files: [], unfit: [] };
  return { files: found, unfit: includes.filter(({ isFit }) => !isFit).map(({ glob }) => glob) };
}

function matcherOf(glob: string): (path: string, fuel: Fuel) => boolean {
  const compiled = compileGlob(glob);
  if ("problem" in compiled) throw new Error(`unchecked glob \`${glob}\`: ${compiled.problem}`);
  return compiled.matches;
}

function unfit({ label, place }: WithInputs, glob: string): Fault {
  const message = `\`inputs\` of ${label}: no file of this commit fits \`${glob.slice(0, 100)}\``;
  return { code: "pipeline.inputs", message, place, fix: "correct the pattern, or leave it out" };
}

interface Deciding {
  choice: Chosen;
  files: readonly TreeFile[];
  variables: Readonly<Record<string, string>>;
}

function baseOf(step: WithInputs, { choice, files, variables }: Deciding): string {
  const { key, kind, env, agents, artifactPaths, plugins, secrets, inputs, image = null } = step;
  const work =
    step.kind === "command" ? step.commands : { compose: step.compose, run: step.run, junit: step.junit ?? null };
  const chosen = new Map([...choice.files, ...ownFiles(step, files)].map(({ path, id }) => [path, id]));
  const named = inputs.env.map((name) => [name, variables[name] ?? null] as const);
  return JSON.stringify([
    ...[key, kind, work, image, plugins, artifactPaths],
    ...[env, agents, secrets, Object.fromEntries(chosen), Object.fromEntries(named)].map(sorted),
  ]);
}

/** Files that the step itself names: its Compose file, and plugins that stand in the repository. */
function ownFiles(step: WithInputs, files: readonly TreeFile[]): TreeFile[] {
  const folders = step.plugins.flatMap(({ source }) => {
    const parsed = parsePluginSource(source);
    return parsed?.kind === "vendored" ? [`${parsed.path}/`] : [];
  });
  if (step.kind === "test") return files.filter(({ path }) => path === step.compose);
  return folders.length === 0 ? [] : files.filter(({ path }) => folders.some((folder) => path.startsWith(folder)));
}

function sorted<T>(map: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(map).toSorted(([one], [other]) => (one < other ? -1 : 1));
}
