/** Keys of a written step that nothing reads. */
import { nearest } from "#api/nearest.ts";
import type { Fault } from "./fault.ts";
import { groupShape, stepShapes } from "./step-shape.ts";
import type { StepKind } from "./step.ts";
import type { Review } from "./text/parse-yaml.ts";
import { keyPlaceOf, type Located } from "./text/located.ts";
import { limits } from "./text/limits.ts";

export function keyFaults(located: Located, kind: StepKind | "group"): Required<Review> {
  const known = Object.keys((kind === "group" ? groupShape : stepShapes[kind]).shape);
  const keys = [...(located.children?.keys() ?? [])].filter((key) => !known.includes(key)).slice(0, limits.faults);
  const faults = keys.map((key) => unknownKey(located, { key, kind, known }));
  return {
    errors: faults.filter(({ code }) => code === "shape.unknown-key"),
    warnings: faults.filter(({ code }) => code !== "shape.unknown-key"),
  };
}

/**
 * Buildkite's steps keep what nobody knows, with a warning. Nothing of the kind may pass in the steps that are our own, nor where
 * a slip would open a gate to everybody.
 */
function unknownKey(
  located: Located,
  { key, kind, known }: { key: string; kind: StepKind | "group"; known: readonly string[] },
): Fault {
  const place = keyPlaceOf(located, [key]);
  const near = nearest(key, known);
  if (!near)
    return { code: "pipeline.unknown-key", message: `nothing reads the key \`${key}\` of a ${kind} step`, place };
  const fix = `did you mean \`${near}\`?`;
  const message = `the key \`${key}\` is not known on a ${kind} step`;
  const isStrict = kind === "test" || kind === "publish" || kind === "deploy" || near.startsWith("allowed_");
  return { code: isStrict ? "shape.unknown-key" : "pipeline.unknown-key", message, place, fix };
}
