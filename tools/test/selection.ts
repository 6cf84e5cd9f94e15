import { refuse, type Refusal } from "#api/errors.ts";

/** In this order: what is quick to fail comes first. */
export const stages = ["check", "unit", "module", "driver", "e2e"] as const;
export type Stage = (typeof stages)[number];

/** Stages whose tests run containers. */
export const dockerStages: readonly Stage[] = ["driver", "e2e"];

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
