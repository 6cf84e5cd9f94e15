/** One written step → a step of the pipeline, or all of its faults. */
import type { Place } from "#api/errors.ts";
import { parseCondition } from "./expression/condition.ts";
import type { Fault } from "./fault.ts";
import { completeStep } from "./step-completion.ts";
import { kindKeys, stepShapes, unsupportedKeys, unsupportedKinds, type WrittenCommon } from "./step-shape.ts";
import type { Step, StepKind } from "./step.ts";
import { keyPlaceOf, type Located, locate, placeOf } from "./text/located.ts";
import { limits } from "./text/limits.ts";
import { checkShape, suggestion } from "./text/shape.ts";
import { nearest } from "#api/nearest.ts";

export interface ReadStep {
  step?: Step;
  errors: Fault[];
  warnings: Fault[];
}

/** A step without key gets the key "" here; `pipeline-file.ts` makes one. */
export function readStep(written: Located): ReadStep {
  const located = typeof written.value === "string" ? scalarStep(written, written.value) : written;
  const kind = kindOf(located);
  if (typeof kind !== "string") return { errors: [kind], warnings: [] };
  const keys = keyFaults(located, kind);
  const checked = checkShape(located, stepShapes[kind]);
  const errors = [...keys.errors, ...(checked.errors ?? conditionFaults(checked.value, located))];
  if (errors.length > 0 || !checked.value) return { errors, warnings: keys.warnings };
  return { step: completeStep(kind, checked.value, located.place), errors, warnings: keys.warnings };
}

/** `- wait` and `- block` alone. */
function scalarStep(written: Located, word: string): Located {
  if (kindKeys[word] !== "wait" && kindKeys[word] !== "block") return written;
  const child: Located = { value: null, place: written.place, keyPlace: written.place, size: 1, height: 0 };
  return { ...written, value: { [word]: null }, children: new Map([[word, child]]) };
}

function kindOf(located: Located): StepKind | Fault {
  const { value, place, children } = located;
  if (typeof value === "string") {
    const fix = unsupported(value) ? "remove it" : `write \`command: ${value.slice(0, 60)}\`, or \`wait\` or \`block\``;
    return { code: "pipeline.step-type", message: `\`${value.slice(0, 60)}\` is no step`, place, fix };
  }
  if (!children || Array.isArray(value))
    return { code: "pipeline.step-type", message: "a step must be a map, or `wait` or `block`", place };
  const names = [...children.keys()];
  const foreign = names.find(unsupported);
  if (foreign) return notSupported(located, foreign, `steps of the kind \`${foreign}\` cannot be served yet`);
  const kinds = [...new Set(names.flatMap((name) => kindKeys[name] ?? []))];
  if (kinds.length > 1)
    return {
      code: "pipeline.step-type",
      message: `a step cannot be ${kinds.join(" and ")} at once`,
      place,
      fix: "make two steps of it",
    };
  return kinds[0] ?? kindByType(located);
}

function unsupported(name: string): boolean {
  return (unsupportedKinds as readonly string[]).includes(name);
}

/** `type: wait`, and steps that only have plugins, which are command steps. */
function kindByType(located: Located): StepKind | Fault {
  const type = locate(located, ["type"])?.value;
  if (typeof type === "string" && kindKeys[type]) return kindKeys[type];
  if (located.children?.has("plugins")) return "command";
  const names = [...(located.children?.keys() ?? [])];
  const known = [...new Set(Object.keys(kindKeys))];
  const near = names.map((name) => nearest(name, known)).find((name) => name !== undefined);
  const fix = near ? `did you mean \`${near}\`?` : "add `command`, `wait`, `block`, `test`, `publish` or `deploy`";
  return {
    code: "pipeline.step-type",
    message: "the step has nothing that says what it does",
    place: located.place,
    fix,
  };
}

function notSupported(located: Located, key: string, message: string): Fault {
  return { code: "pipeline.not-supported", message, place: keyPlaceOf(located, [key]), fix: `remove \`${key}\`` };
}

function keyFaults(located: Located, kind: StepKind): { errors: Fault[]; warnings: Fault[] } {
  const known = Object.keys(stepShapes[kind].shape);
  const unknown = [...(located.children?.keys() ?? [])].filter((key) => !known.includes(key)).slice(0, limits.faults);
  const errors: Fault[] = [];
  const warnings: Fault[] = [];
  for (const key of unknown) {
    const place = keyPlaceOf(located, [key]);
    const near = nearest(key, known);
    if (unsupportedKeys[kind].includes(key))
      errors.push(notSupported(located, key, `\`${key}\` cannot be served yet on a ${kind} step`));
    else if (near)
      errors.push({
        code: "shape.unknown-key",
        message: `the key \`${key}\` is not known on a ${kind} step`,
        place,
        fix: suggestion(key, known),
      });
    else
      warnings.push({
        code: "pipeline.unknown-key",
        message: `nothing reads the key \`${key}\` of a ${kind} step`,
        place,
      });
  }
  return { errors, warnings };
}

function conditionFaults(written: WrittenCommon, located: Located): Fault[] {
  if (written.if === undefined) return [];
  const parsed = parseCondition(written.if);
  if ("condition" in parsed) return [];
  const { message, fix, offset } = parsed.problem;
  const place = shift(placeOf(located, ["if"]), written.if, offset);
  return [
    {
      code: "pipeline.condition",
      message: `\`if\` is not valid at character ${offset + 1}: ${message}`,
      place,
      ...(fix === undefined ? {} : { fix }),
    },
  ];
}

/** Exact for an expression on one line without quotes around it, which nearly all are. */
function shift(place: Place, text: string, offset: number): Place {
  return text.includes("\n") ? place : { ...place, column: place.column + offset };
}
