/**
 * What the language has and nothing here does yet. A key that would silently do nothing is worse than one that is refused;
 * whoever makes it real takes its name from these lists, and that is all the parser has to know.
 */
import type { StepKind } from "./step.ts";

const work = ["notify", "secrets", "inputs"];

const plugins = ["plugins", "plugin"];

const form = ["notify"];

/** Keys by kind of step; a dot goes into a map, and through the entries of a list. */
export const notServedKeys: Record<StepKind | "group", readonly string[]> = {
  command: work,
  test: [...work, ...plugins],
  publish: [...work, ...plugins, "cache"],
  deploy: [
    "notify",
    "priority",
    "env",
    "soft_fail",
    "timeout_in_minutes",
    "agents",
    "matrix",
    "parallelism",
    "retry.manual.permit_on_passed",
  ],
  trigger: [],
  block: [...form, "blocked_state"],
  input: form,
  wait: [],
  unknown: [],
  group: ["notify"],
};

export const notServedKinds: readonly StepKind[] = [];

export const notServedTopKeys: readonly string[] = ["notify", "secrets", "priority", "cache", "if_changed"];
