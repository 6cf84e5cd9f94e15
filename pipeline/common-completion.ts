/** Fills in what every kind of step may leave out. */
import type { Place } from "#api/errors.ts";
import type { WrittenCommon } from "./step-shape.ts";
import type { ChangeFilter, Step } from "./step.ts";

type Common = Pick<
  Step,
  "key" | "step" | "label" | "place" | "dependsOn" | "allowDependencyFailure" | "if" | "branches" | "skip" | "ifChanged"
>;

export function completeCommon(written: WrittenCommon, place: Place, fallback: string): Common {
  const { branches } = written;
  const key = written.key ?? written.id ?? written.identifier ?? "";
  return {
    key,
    step: key,
    label: written.label ?? written.name ?? fallback,
    place,
    ...(branches ? { branches: branches.join(" ") } : {}),
    ...completeRules(written),
  };
}

type Rules = Pick<Step, "dependsOn" | "allowDependencyFailure" | "if" | "skip" | "ifChanged">;

/** What decides whether and when it runs; groups have the same. */
export function completeRules(
  written: Pick<WrittenCommon, "depends_on" | "allow_dependency_failure" | "if" | "skip" | "if_changed">,
): Rules {
  const { depends_on: dependsOn, skip, if_changed: filter } = written;
  const dependencies = dependsOn?.map(({ step, allow_failure: allowFailure = false }) => ({ step, allowFailure }));
  return {
    ...(dependencies ? { dependsOn: dependencies } : {}),
    allowDependencyFailure: written.allow_dependency_failure ?? false,
    ...(written.if === undefined ? {} : { if: written.if }),
    // Buildkite reads an empty text as "no".
    ...(skip === undefined || skip === false || skip === "" ? {} : { skip: skip === true ? "" : skip }),
    ...(filter ? { ifChanged: completeFilter(filter) } : {}),
  };
}

export function completeFilter({ include, exclude = [] }: NonNullable<WrittenCommon["if_changed"]>): ChangeFilter {
  return { include, exclude };
}
