/** One written step → a step of the pipeline, or all of its faults. */
import type { Fault } from "./fault.ts";
import { notServedKeys, notServedKinds } from "./not-served.ts";
import { completeStep } from "./step-completion.ts";
import { normalizeStep } from "./step-form.ts";
import { keyFaults } from "./step-keys.ts";
import { kindOf } from "./step-kind.ts";
import { stepRules } from "./step-rules.ts";
import { stepShapes } from "./step-shape.ts";
import type { Step, StepKind } from "./step.ts";
import { keyPlaceOf, type Located, withoutKeys } from "./text/located.ts";
import { checkShape } from "./text/shape.ts";

export interface ReadStep {
  step?: Step;
  errors: Fault[];
  warnings: Fault[];
}

/** A step without key gets the key "" here; `job-keys.ts` makes one. */
export function readStep(written: Located): ReadStep {
  const located = normalizeStep(written);
  const found = kindOf(located);
  if ("code" in found) return { errors: [found], warnings: [] };
  const { kind, warnings } = found;
  if (kind === "group" || notServedKinds.includes(kind)) return { errors: [notServed(located, kind)], warnings };
  return kind === "unknown" ? readUnknown(located, warnings) : readKnown(located, kind);
}

function notServed(located: Located, kind: string): Fault {
  const message = `steps of the kind \`${kind}\` cannot be served yet`;
  return { code: "pipeline.not-supported", message, place: keyPlaceOf(located, [kind]), fix: `remove \`${kind}\`` };
}

/** Whatever it holds: it is kept for its place and its key, and never run. */
function readUnknown(located: Located, warnings: Fault[]): ReadStep {
  const checked = checkShape(located, stepShapes.unknown);
  return { step: completeStep("unknown", checked.value ?? {}, located.place), errors: [], warnings };
}

function readKnown(located: Located, kind: StepKind): ReadStep {
  const keys = keyFaults(located, kind);
  // What is refused for its name needs no second fault for its form.
  const served = withoutKeys(located, notServedKeys[kind]);
  const checked = checkShape(served, stepShapes[kind]);
  if (checked.errors) return { errors: [...keys.errors, ...checked.errors], warnings: keys.warnings };
  const step = completeStep(kind, checked.value, located.place);
  const rules = stepRules(step, served);
  const errors = [...keys.errors, ...rules.errors];
  const warnings = [...keys.warnings, ...rules.warnings];
  return errors.length > 0 ? { errors, warnings } : { step, errors, warnings };
}
