/** Which kind a written step is of. */
import { nearest } from "#api/nearest.ts";
import type { Fault } from "./fault.ts";
import { kindKeys } from "./step-shape.ts";
import type { StepKind } from "./step.ts";
import { type Located, locate } from "./text/located.ts";

export interface Kind {
  kind: StepKind | "group";
  /** Why it is taken for a step of no known kind. */
  warnings: Fault[];
}

/** A fault where it cannot be a step at all. */
export function kindOf(located: Located): Kind | Fault {
  const { value, place, children } = located;
  if (typeof value === "string") return unknown(located, `\`${value.slice(0, 60)}\``, [value]);
  if (!children || Array.isArray(value))
    return { code: "pipeline.step-type", message: "a step must be a map, or `wait`, `block` or `input`", place };
  const names = [...children.keys()];
  const kinds = [...new Set(names.flatMap((name) => kindsByName.get(name) ?? []))];
  const type = locate(located, ["type"])?.value;
  const typed = typeof type === "string" ? kindsByName.get(type) : undefined;
  if (typed && !kinds.includes(typed)) kinds.unshift(typed);
  if (kinds.length > 1) return severalKinds(located, kinds);
  if (kinds[0]) return { kind: kinds[0], warnings: [] };
  // A step that only has plugins is one that they do the work of.
  if (names.includes("plugins") || names.includes("plugin")) return { kind: "command", warnings: [] };
  const first = typeof type === "string" ? `the type \`${type.slice(0, 60)}\`` : `\`${(names[0] ?? "").slice(0, 60)}\``;
  return unknown(located, names.length === 0 ? "no keys" : first, typeof type === "string" ? [type] : names);
}

/** A map, so that a key such as `toString` is none of them. */
const kindsByName = new Map<string, StepKind | "group">([...Object.entries(kindKeys), ["group", "group"]]);

function severalKinds({ place }: Located, kinds: readonly string[]): Fault {
  const message = `a step cannot be ${kinds.join(" and ")} at once`;
  return { code: "pipeline.step-type", message, place, fix: "make two steps of it" };
}

/** As with Buildkite the build goes on without it; but a misspelt step that is silently skipped would be a test that never ran. */
function unknown({ place }: Located, what: string, words: readonly string[]): Kind | Fault {
  const near = words.map((word) => nearest(word, [...kindsByName.keys()])).find((name) => name !== undefined);
  if (near)
    return {
      code: "pipeline.step-type",
      message: `nothing here knows a step with ${what}`,
      place,
      fix: `did you mean \`${near}\`?`,
    };
  const message = `nothing here knows a step with ${what}: it is skipped in every build`;
  const fix = "add `command`, `wait`, `block`, `test`, `publish` or `deploy`";
  return { kind: "unknown", warnings: [{ code: "pipeline.unknown-step", message, place, fix }] };
}
