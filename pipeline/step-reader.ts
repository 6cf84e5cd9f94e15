/** One written step → a step of the pipeline, or all of its faults. */
import type { Fault } from "./fault.ts";
import { completeStep } from "./step-completion.ts";
import { keyFaults } from "./step-keys.ts";
import { kindOf } from "./step-kind.ts";
import { stepRules } from "./step-rules.ts";
import { stepShapes } from "./step-shape.ts";
import type { Step, StepKind } from "./step.ts";
import type { Located } from "./text/located.ts";
import { checkShape } from "./text/shape.ts";

export interface ReadStep {
  step?: Step;
  errors: Fault[];
  warnings: Fault[];
}

/** `located` is normalized; see `step-form.ts`. A step without key gets the key "" here; `job-keys.ts` makes one. */
export function readStep(located: Located): ReadStep {
  const found = kindOf(located);
  if ("code" in found) return { errors: [found], warnings: [] };
  const { kind, warnings } = found;
  if (kind === "group") return { errors: [misplaced(located)], warnings };
  return kind === "unknown" ? readUnknown(located, warnings) : readKnown(located, kind);
}

function misplaced({ place }: Located): Fault {
  return { code: "pipeline.step-type", message: "a group is no step", place };
}

/** Whatever it holds: it is kept for its place and its key, and never run. */
function readUnknown(located: Located, warnings: Fault[]): ReadStep {
  const checked = checkShape(located, stepShapes.unknown);
  return { step: completeStep("unknown", checked.value ?? {}, located.place), errors: [], warnings };
}

function readKnown(located: Located, kind: StepKind): ReadStep {
  const keys = keyFaults(located, kind);
  const checked = checkShape(located, stepShapes[kind]);
  if (checked.errors) return { errors: [...keys.errors, ...checked.errors], warnings: keys.warnings };
  const step = completeStep(kind, checked.value, located.place);
  const rules = stepRules(step, located);
  const errors = [...keys.errors, ...rules.errors];
  const warnings = [...keys.warnings, ...rules.warnings];
  return errors.length > 0 ? { errors, warnings } : { step, errors, warnings };
}
