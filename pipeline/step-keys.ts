/** Keys of a written step that nothing reads, or that nothing can serve yet. */
import { nearest } from "#api/nearest.ts";
import type { Fault } from "./fault.ts";
import { notServedKeys } from "./not-served.ts";
import { groupShape, stepShapes } from "./step-shape.ts";
import type { StepKind } from "./step.ts";
import type { Review } from "./text/parse-yaml.ts";
import { keyPlaceOf, type Located } from "./text/located.ts";
import { limits } from "./text/limits.ts";

export function keyFaults(located: Located, kind: StepKind | "group"): Required<Review> {
  const known = Object.keys((kind === "group" ? groupShape : stepShapes[kind]).shape);
  const refused = notServedKeys[kind].flatMap((path) => findPath(located, path.split(".")));
  const errors = refused.map(({ path, place }): Fault => {
    const message = `\`${path}\` cannot be served yet on a ${kind} step`;
    return { code: "pipeline.not-supported", message, place, fix: `remove \`${path.split(".").at(-1)}\`` };
  });
  const isRefused = (key: string) => refused.some(({ path }) => path === key);
  const keys = [...(located.children?.keys() ?? [])].filter((key) => !known.includes(key) && !isRefused(key));
  const warnings: Fault[] = [];
  if (kind !== "unknown")
    for (const key of keys.slice(0, limits.faults)) {
      const fault = unknownKey(located, { key, kind, known });
      (fault.code === "shape.unknown-key" ? errors : warnings).push(fault);
    }
  return { errors, warnings };
}

/** Where a path of `not-served.ts` is written; lists are looked through. */
function findPath(part: Located, [key, ...rest]: readonly string[]): { path: string; place: Located["place"] }[] {
  if (Array.isArray(part.value))
    return [...(part.children?.values() ?? [])].flatMap((entry) => findPath(entry, [key ?? "", ...rest])).slice(0, 1);
  const child = part.children?.get(key ?? "");
  if (!child) return [];
  if (rest.length === 0) return [{ path: key ?? "", place: child.keyPlace ?? child.place }];
  return findPath(child, rest).map(({ path, place }) => ({ path: `${key}.${path}`, place }));
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
