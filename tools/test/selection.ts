import { refuse, type Refusal } from "#api/errors.ts";

/** In this order: what is quick to fail comes first. */
export const stages = ["check", "unit", "module", "driver", "e2e"] as const;
export type Stage = (typeof stages)[number];

/** Its tests run containers. */
export const needsDocker = (stage: Stage): boolean => stage === "driver" || stage === "e2e";

/**
 * What runs side by side: while one waits, another works, and the machine does not stand still at the end of each. What needs
 * containers comes last, since Docker may have to be installed, which the others do not wait for.
 */
export function runsOf(stages: readonly Stage[]): Stage[][] {
  const isCheck = (stage: Stage) => stage === "check";
  const parts = [isCheck, (stage: Stage) => !isCheck(stage) && !needsDocker(stage), needsDocker];
  return parts.map((part) => stages.filter(part)).filter((part) => part.length > 0);
}

export interface Selection {
  stages: Stage[];
  /** Parts of paths; a test file runs when its path has one of them. All run when empty. */
  filters: string[];
}

/**
 * `[]` is everything; `["unit", "pipeline/"]` the unit tests below `pipeline/`; `["pipeline/"]` all tests there. A
 * word that is neither a stage nor looks like a path is refused (`request.invalid`).
 */
export function parseSelection(words: readonly string[]): Selection | Refusal {
  const named = stages.filter((stage) => words.includes(stage));
  const filters = words.filter((word) => !(stages as readonly string[]).includes(word));
  const odd = filters.find((word) => !/[/.]/.test(word));
  if (odd !== undefined)
    return refuse("request.invalid", `There is no group of tests called ${odd}.`, {
      fix: `Give some of ${stages.join(", ")}, or a part of a path such as pipeline/.`,
    });
  if (named.length > 0) return { stages: named, filters };
  return { stages: stages.filter((stage) => stage !== "check" || filters.length === 0), filters };
}
