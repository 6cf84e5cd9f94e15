/** What the addresses of the pages about builds carry, read with care: anybody may write one. */
import type { Summary } from "./words.ts";

/** What the address of a build carries beside its name. */
export interface BuildSearch {
  tab?: Tab;
  step?: string;
  attempt?: number;
  /** Of the tests that are shown; absent: all. */
  outcome?: TestOutcome;
}

export const testOutcomes = ["failed", "flaky", "passed", "skipped"] as const;
export type TestOutcome = (typeof testOutcomes)[number];

const tabs = ["steps", "tests", "artifacts"] as const;
export type Tab = (typeof tabs)[number];

export function readBuildSearch(search: Record<string, unknown>): BuildSearch {
  const tab = tabs.find((each) => each === search["tab"]);
  const attempt = Number(search["attempt"]);
  const outcome = testOutcomes.find((each) => each === search["outcome"]);
  return {
    ...(tab ? { tab } : {}),
    ...(outcome ? { outcome } : {}),
    ...(typeof search["step"] === "string" ? { step: search["step"] } : {}),
    ...(Number.isInteger(attempt) && attempt > 0 ? { attempt } : {}),
  };
}

/** What the address of the list carries. */
export interface BuildsSearch {
  repository?: string;
  branch?: string;
  state?: Summary["state"];
}

export const states = ["preparing", "scheduled", "running", "failing", "blocked", "canceling", "finished"] as const;

export function readBuildsSearch(search: Record<string, unknown>): BuildsSearch {
  const state = states.find((each) => each === search["state"]);
  return {
    ...(typeof search["repository"] === "string" ? { repository: search["repository"] } : {}),
    ...(typeof search["branch"] === "string" ? { branch: search["branch"] } : {}),
    ...(state ? { state } : {}),
  };
}
