/**
 * What the language has and nothing here does yet. A key that would silently do nothing is worse than one that is refused;
 * whoever makes it real takes its name from these lists, and that is all the parser has to know.
 */
import type { StepKind } from "./step.ts";

const plugins = ["plugins", "plugin"];

/** Keys by kind of step; a dot goes into a map, and through the entries of a list. */
export const notServedKeys: Record<StepKind | "group", readonly string[]> = {
  command: [],
  test: plugins,
  // A release is made of what this very build published.
  publish: ["inputs", ...plugins, "cache"],
  deploy: [
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
  block: ["blocked_state"],
  input: [],
  wait: [],
  unknown: [],
  group: [],
};

export const notServedKinds: readonly StepKind[] = [];

export const notServedTopKeys: readonly string[] = ["if_changed"];
