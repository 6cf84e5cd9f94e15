/** The rows of tests, as the rest of this folder sees them. */
import type { TestResult } from "#api/endpoints/tests.ts";

export interface TestRow {
  id: number;
  repository: string;
  scope: string;
  name: string;
}

export interface ReportRow {
  job: string;
  attempt: number;
  build: string;
  complete: boolean;
  faults: string[];
  at: Date;
}

export type ResultRow = TestResult & { at: Date };

export interface HistoryRow {
  build: string;
  number: number;
  branch: string;
  commit: string;
  step: string;
  attempt: number;
  at: Date;
  outcome: TestResult["outcome"];
  flaky: boolean;
  quarantined: boolean;
  ms: number | null;
  message: string | null;
}

export interface QuarantineRow {
  id: string;
  test: number;
  owner: string;
  reason: string;
  expires_at: Date;
  created_by: string;
  created_at: Date;
  released_at: Date | null;
}

export interface StatsRow {
  id: number;
  scope: string;
  name: string;
  runs: number;
  failures: number;
  flaky_commits: number;
  average_ms: number | null;
  last_run: Date;
  last_failed: Date | null;
  /** Its times are text here. */
  quarantine:
    | (Pick<QuarantineRow, "owner" | "reason" | "created_by"> & { expires_at: string; created_at: string })
    | null;
}
