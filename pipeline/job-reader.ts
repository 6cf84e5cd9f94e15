/** One written step → its jobs, which are several where it has a matrix or `parallelism`. */
import type { Fault } from "./fault.ts";
import { type Draft, inParallel, labelled, slug } from "./job-expansion.ts";
import { type Combination, combinationsOf, hasToken, replaceTokens } from "./matrix.ts";
import { normalizeStep } from "./step-form.ts";
import { kindOf } from "./step-kind.ts";
import { type ReadStep, readStep } from "./step-reader.ts";
import { stepShapes } from "./step-shape.ts";
import { limits } from "./text/limits.ts";
import { assemble, type Located, locate, placeOf, withoutKeys } from "./text/located.ts";
import { checkShape } from "./text/shape.ts";
import type { StepKind } from "./step.ts";

export interface ReadJobs {
  /** Words that a key may be made of where none is written. */
  base: string;
  jobs: Draft[];
  errors: Fault[];
  warnings: Fault[];
}

export function readJobs(written: Located): ReadJobs {
  const located = normalizeStep(written);
  const kind = kindOf(located);
  const hasMatrix = "kind" in kind && locate(located, ["matrix"]) !== undefined && serves(kind.kind, "matrix");
  const read = hasMatrix ? readMatrix(located) : single(readStep(located), located);
  const parallelism = locate(located, ["parallelism"]) && read.jobs[0] ? countOf(located, read.jobs[0]) : 1;
  return parallelism > 1 ? { ...read, jobs: read.jobs.flatMap((job) => inParallel(job, parallelism)) } : read;
}

function serves(kind: StepKind | "group", key: string): boolean {
  return kind !== "group" && key in stepShapes[kind].shape;
}

function single({ step, errors, warnings }: ReadStep, located: Located): ReadJobs {
  return { base: step?.label ?? baseOf(located), jobs: step ? [{ step, suffix: [] }] : [], errors, warnings };
}

/** The shape was checked with the step; 1 where the kind knows no such key. */
function countOf(located: Located, { step }: Draft): number {
  const shape = stepShapes[step.kind].shape;
  const checked =
    "parallelism" in shape ? shape.parallelism.safeParse(locate(located, ["parallelism"])?.value) : undefined;
  return checked?.success ? (checked.data ?? 1) : 1;
}

function readMatrix(located: Located): ReadJobs {
  const base = baseOf(located);
  const checked = checkShape(only(located, "matrix"), stepShapes.command.pick({ matrix: true }));
  if (checked.errors) return { base, jobs: [], errors: checked.errors, warnings: [] };
  const tokens = tokenFaults(located);
  const { combinations, faults } = combinationsOf(checked.value.matrix ?? { setup: {} }, located);
  if (tokens.length + faults.length > 0) return { base, jobs: [], errors: [...tokens, ...faults], warnings: [] };
  return readCombinations(located, combinations);
}

/** Faults of the step itself show in each of its jobs, and are said once. */
function readCombinations(located: Located, combinations: readonly Combination[]): ReadJobs {
  const result: ReadJobs = { base: baseOf(located), jobs: [], errors: [], warnings: [] };
  let written = 0;
  for (const combination of combinations) {
    const replaced = replaceTokens(withoutKeys(located, ["matrix"]), combination.values);
    written += replaced.written;
    const read = readStep(replaced.replaced);
    result.errors.push(...replaced.faults, ...read.errors);
    result.warnings.push(...read.warnings);
    if (written > limits.interpolated) result.errors.push(tooMuch(located));
    if (result.errors.length > 0) break;
    if (read.step) result.jobs.push(adjusted(read.step, combination));
  }
  const jobs = labelled(result.jobs, ({ step }) => `(${valuesOf(step).join(", ")})`);
  return { ...result, jobs, warnings: distinct(result.warnings) };
}

function tooMuch(located: Located): Fault {
  const message = `the jobs of this matrix together have more than ${limits.interpolated} characters`;
  return { code: "pipeline.limit", message, place: placeOf(located, ["matrix"]) };
}

function distinct(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [JSON.stringify([fault.message, fault.place]), fault])).values()];
}

function adjusted(step: Draft["step"], { values, adjustment }: Combination): Draft {
  const { skip, soft_fail: softFail } = adjustment ?? {};
  const checked =
    softFail === undefined ? {} : { softFail: typeof softFail === "boolean" ? softFail : statusesOf(softFail) };
  const off = skip === undefined ? {} : { skip: typeof skip === "string" ? skip : "" };
  const job = { ...step, matrix: values, ...checked, ...off } as Draft["step"];
  return { step: job, suffix: Object.values(values).map(slug) };
}

function statusesOf(rules: readonly { exit_status: "*" | number }[]): boolean | number[] {
  const statuses = rules.map((rule) => rule.exit_status);
  return statuses.includes("*") ? true : statuses.filter((status) => status !== "*");
}

function valuesOf(step: Draft["step"]): string[] {
  return "matrix" in step && step.matrix ? Object.values(step.matrix) : [];
}

/** Keys that are decided once for the whole step. */
const constantKeys = ["key", "id", "identifier", "if", "depends_on", "branches", "if_changed"];

function tokenFaults(located: Located): Fault[] {
  return constantKeys.flatMap((key) => {
    const part = locate(located, [key]);
    if (!part || !hasToken(JSON.stringify(part.value))) return [];
    const message = `\`${key}\` counts for all jobs of the matrix, so that no value can be in it`;
    const fix = key === "if" ? "leave single jobs out with `adjustments` and `skip`" : "write it without `{{matrix}}`";
    return [{ code: "pipeline.matrix" as const, message, place: part.place, fix }];
  });
}

function only(located: Located, key: string): Located {
  const part = locate(located, [key]);
  const children = new Map(part ? [[key, part]] : []);
  return { ...located, children, value: assemble(children, false) };
}

/** What the author calls the step, without the values. */
function baseOf(located: Located): string {
  const text = ["label", "name", "command", "commands", "script"]
    .map((key) => locate(located, [key])?.value)
    .find((value) => typeof value === "string");
  return typeof text === "string" ? (text.split("\n")[0] ?? "").replaceAll(/\{\{[^}]*\}\}/g, " ") : "";
}
