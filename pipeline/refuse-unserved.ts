/** Takes out of a pipeline file what its kinds of steps do not take, and says so. */
import type { Fault } from "./fault.ts";
import { notServedKeys } from "./not-served.ts";
import { normalizeStep } from "./step-form.ts";
import { kindOf } from "./step-kind.ts";
import { assemble, keyPlaceOf, type Located, locate, withoutKeys } from "./text/located.ts";

export interface Served {
  root: Located;
  faults: Fault[];
}

/** What is refused for its name needs no second fault for its form, so the rest is read without it. */
export function refuseUnserved(root: Located): Served {
  const faults: Fault[] = [];
  const steps = locate(root, ["steps"]);
  return { root: steps ? replaced(root, "steps", refuseSteps(steps, faults)) : root, faults };
}

function refuseSteps(list: Located, faults: Fault[]): Located {
  if (!Array.isArray(list.value)) return list;
  const children = new Map([...(list.children ?? [])].map(([index, step]) => [index, refuseStep(step, faults)]));
  return { ...list, children, value: assemble(children, true) };
}

function refuseStep(written: Located, faults: Fault[]): Located {
  const step = normalizeStep(written);
  const found = kindOf(step);
  if ("code" in found) return written;
  const { kind } = found;
  const refusals = Object.entries(notServedKeys[kind]);
  for (const [path, why] of refusals) faults.push(...findPath(step, path.split(".")).map((fault) => fault(kind, why)));
  const kept = withoutKeys(step, Object.keys(notServedKeys[kind]));
  const inner = kind === "group" ? locate(kept, ["steps"]) : undefined;
  return inner ? replaced(kept, "steps", refuseSteps(inner, faults)) : kept;
}

function replaced(map: Located, key: string, child: Located): Located {
  if (!map.children) return map;
  const children = new Map([...map.children, [key, child]]);
  return { ...map, children, value: assemble(children, false) };
}

type Refusing = (kind: string, why: string) => Fault;

/** Where a path is written; lists are looked through, and one place is enough. */
function findPath(part: Located, path: readonly string[], above = ""): Refusing[] {
  const [key = "", ...rest] = path;
  if (Array.isArray(part.value))
    return [...(part.children?.values() ?? [])].flatMap((entry) => findPath(entry, path, above)).slice(0, 1);
  const child = part.children?.get(key);
  if (!child) return [];
  if (rest.length > 0) return findPath(child, rest, `${above}${key}.`);
  return [(kind, why) => refused(part, key, { kind, why, above })];
}

function refused(map: Located, key: string, { kind, why, above }: { kind: string; why: string; above: string }): Fault {
  const message = why
    ? `\`${above}${key}\` is no key of a ${kind} step: ${why}`
    : `\`${above}${key}\` cannot be served yet on a ${kind} step`;
  return { code: "pipeline.not-supported", message, place: keyPlaceOf(map, [key]), fix: `remove \`${key}\`` };
}
