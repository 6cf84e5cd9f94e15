/** The combinations of a matrix: values by dimension, and what an adjustment says of one of them. */
import type { Fault } from "./fault.ts";
import type { WrittenWork } from "./step-shape.ts";
import { type Located, mapTexts, type Path, placeOf } from "./text/located.ts";

type WrittenMatrix = NonNullable<WrittenWork["matrix"]>;
type Adjustment = NonNullable<WrittenMatrix["adjustments"]>[number];

export interface Combination {
  values: Record<string, string>;
  adjustment?: Pick<Adjustment, "skip" | "soft_fail">;
}

/** Buildkite's own limits. */
const maximum = { dimensions: 6, values: 20, adjustments: 12, jobs: 50 } as const;

/** In the order of the file; a combination that only an adjustment has comes last. `at`: where the step has its matrix. */
export function combinationsOf(
  matrix: WrittenMatrix,
  located: Located,
): { combinations: Combination[]; faults: Fault[] } {
  const faults = [...limitFaults(matrix, located), ...adjustmentFaults(matrix, located)];
  if (faults.length > 0) return { combinations: [], faults };
  const { setup, adjustments = [] } = matrix;
  const found = new Map<string, Combination>(product(setup).map((values) => [nameOf(values, setup), { values }]));
  for (const { with: values, ...adjustment } of adjustments) {
    const name = nameOf(values, setup);
    const before = found.get(name)?.adjustment;
    // Of several for one combination each may add something, and a skip holds.
    found.set(name, { values: ordered(values, setup), adjustment: { ...before, ...defined(adjustment) } });
  }
  const combinations = [...found.values()];
  const faultsOfAll = countFaults(combinations.length, located);
  return { combinations: faultsOfAll.length > 0 ? [] : combinations, faults: faultsOfAll };
}

function defined(adjustment: Pick<Adjustment, "skip" | "soft_fail">): Pick<Adjustment, "skip" | "soft_fail"> {
  const { skip, soft_fail: softFail } = adjustment;
  return {
    ...(skip === undefined || skip === false || skip === "" ? {} : { skip }),
    ...(softFail === undefined ? {} : { soft_fail: softFail }),
  };
}

function product(setup: Record<string, string[]>): Record<string, string>[] {
  return Object.entries(setup).reduce<Record<string, string>[]>(
    (before, [dimension, values]) => before.flatMap((one) => values.map((value) => ({ ...one, [dimension]: value }))),
    [{}],
  );
}

function ordered(values: Record<string, string>, setup: Record<string, string[]>): Record<string, string> {
  return Object.fromEntries(Object.keys(setup).map((dimension) => [dimension, values[dimension] ?? ""]));
}

function nameOf(values: Record<string, string>, setup: Record<string, string[]>): string {
  return JSON.stringify(Object.keys(setup).map((dimension) => values[dimension]));
}

function limitFaults({ setup, adjustments = [] }: WrittenMatrix, located: Located): Fault[] {
  const dimensions = Object.entries(setup);
  const long = dimensions.find(([, values]) => values.length > maximum.values);
  const twice = dimensions.find(([, values]) => new Set(values).size < values.length);
  const size = dimensions.reduce((count, [, values]) => count * values.length, 1);
  if (dimensions.length > maximum.dimensions) return [limit(located, `${maximum.dimensions} dimensions`)];
  if (adjustments.length > maximum.adjustments) return [limit(located, `${maximum.adjustments} adjustments`)];
  if (size > maximum.jobs) return countFaults(size, located);
  // A plain list has one dimension, and Buildkite counts only its jobs.
  if (long && dimensions.length > 1) return [limit(located, `${maximum.values} values in one dimension`)];
  return twice ? [fault(located, ["matrix"], `the matrix has a value of ${described(twice[0])} twice`)] : [];
}

function countFaults(jobs: number, located: Located): Fault[] {
  if (jobs > maximum.jobs) return [limit(located, `${maximum.jobs} jobs, and this one makes ${jobs}`)];
  return jobs === 0 ? [fault(located, ["matrix"], "the matrix makes no job")] : [];
}

function limit(located: Located, most: string): Fault {
  const place = placeOf(located, ["matrix"]);
  return { code: "pipeline.limit", message: `a matrix has at most ${most}`, place, fix: "make several steps of it" };
}

function adjustmentFaults({ setup, adjustments = [] }: WrittenMatrix, located: Located): Fault[] {
  const wanted = Object.keys(setup);
  return adjustments.flatMap(({ with: values }, index) => {
    const given = Object.keys(values);
    const fits = given.length === wanted.length && given.every((dimension) => wanted.includes(dimension));
    const message = `an adjustment names a value for each of ${wanted.map(described).join(", ")}, and for nothing else`;
    return fits ? [] : [fault(located, ["matrix", "adjustments", index, "with"], message)];
  });
}

function described(dimension: string): string {
  return dimension === "" ? "the list" : `\`${dimension}\``;
}

function fault(located: Located, path: Path, message: string): Fault {
  return { code: "pipeline.matrix", message, place: placeOf(located, path) };
}

const token = /\{\{\s*matrix(?:\.([A-Za-z0-9_.-]+))?\s*\}\}/g;

export function hasToken(text: string): boolean {
  return text.search(token) >= 0;
}

/** Puts the values in place of `{{matrix}}` and `{{matrix.os}}`, everywhere in the step. */
export function replaceTokens(
  located: Located,
  values: Record<string, string>,
): { replaced: Located; faults: Fault[]; written: number } {
  const faults: Fault[] = [];
  let written = 0;
  const replaced = mapTexts(located, (text, place) => {
    const result = text.replaceAll(token, (whole, dimension: string = "") => {
      const value = Object.hasOwn(values, dimension) ? values[dimension] : undefined;
      if (value === undefined) faults.push({ code: "pipeline.matrix", message: strange(whole, values), place });
      return value ?? whole;
    });
    written += result.length;
    return result;
  });
  return { replaced, faults, written };
}

function strange(whole: string, values: Record<string, string>): string {
  const known = Object.keys(values).map((name) => (name === "" ? "`{{matrix}}`" : `\`{{matrix.${name}}}\``));
  return `\`${whole.slice(0, 60)}\` is no value of this matrix: it has ${known.join(", ")}`;
}
