/** Takes out of a pipeline file what nothing serves yet, and says so. */
import type { Fault } from "./fault.ts";
import { notServedKeys, notServedKinds, notServedTopKeys } from "./not-served.ts";
import { normalizeStep } from "./step-form.ts";
import { kindOf } from "./step-kind.ts";
import { assemble, keyPlaceOf, type Located, locate, withoutKeys } from "./text/located.ts";

export interface Served {
  root: Located;
  faults: Fault[];
}

/** What is refused for its name needs no second fault for its form, so the rest is read without it. */
export function refuseUnserved(root: Located): Served {
  const faults = notServedTopKeys.flatMap((key) => (locate(root, [key]) ? [refused(root, key, "")] : []));
  const steps = locate(root, ["steps"]);
  const top = withoutKeys(root, notServedTopKeys);
  return steps ? { root: replaced(top, "steps", refuseSteps(steps, faults)), faults } : { root: top, faults };
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
  if (kind !== "group" && notServedKinds.includes(kind)) faults.push(refusedKind(step, kind));
  for (const path of notServedKeys[kind]) faults.push(...findPath(step, path.split(".")).map((fault) => fault(kind)));
  const kept = withoutKeys(step, notServedKeys[kind]);
  const inner = kind === "group" ? locate(kept, ["steps"]) : undefined;
  return inner ? replaced(kept, "steps", refuseSteps(inner, faults)) : kept;
}

function replaced(map: Located, key: string, child: Located): Located {
  if (!map.children) return map;
  const children = new Map([...map.children, [key, child]]);
  return { ...map, children, value: assemble(children, false) };
}

/** Where a path is written; lists are looked through, and one place is enough. */
function findPath(part: Located, path: readonly string[], above = ""): ((kind: string) => Fault)[] {
  const [key = "", ...rest] = path;
  if (Array.isArray(part.value))
    return [...(part.children?.values() ?? [])].flatMap((entry) => findPath(entry, path, above)).slice(0, 1);
  const child = part.children?.get(key);
  if (!child) return [];
  if (rest.length > 0) return findPath(child, rest, `${above}${key}.`);
  return [(kind) => refused(part, key, ` on a ${kind} step`, above)];
}

function refused(map: Located, key: string, where: string, above = ""): Fault {
  const message = `\`${above}${key}\` cannot be served yet${where}`;
  return { code: "pipeline.not-supported", message, place: keyPlaceOf(map, [key]), fix: `remove \`${key}\`` };
}

function refusedKind(step: Located, kind: string): Fault {
  const message = `steps of the kind \`${kind}\` cannot be served yet`;
  return { code: "pipeline.not-supported", message, place: keyPlaceOf(step, [kind]), fix: `remove \`${kind}\`` };
}
