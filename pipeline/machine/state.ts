/** The state of one build. JSON-serialisable; replaying its events gives it again. */
import type { Plan } from "../plan.ts";
import type { BlockStep } from "../step.ts";

export interface BuildState {
  plan: Plan;
  createdAt: string;
  /** Set once somebody canceled the build; it stays canceled. */
  cancel?: Cancellation;
  /** By step key, one for each planned step. */
  steps: Record<string, StepState>;
  /** True between `build-finished` and a retry. */
  closed: boolean;
  /** Steps that jobs added; absent before the first. */
  uploads?: Upload[];
}

export interface Upload {
  id: string;
  /** Step and attempt of the job that added them. */
  by: string;
  attempt: number;
  keys: string[];
}

export interface Cancellation {
  by: string;
  at: string;
  reason?: string;
  /** Number of the newer build that takes the place of this one. */
  supersededBy?: number;
}

export interface StepState {
  key: string;
  status: StepStatus;
  attempts: Attempt[];
  /** Automatic retries so far, by index of the retry rule. */
  retries: Record<string, number>;
  /** Who tried it again by hand last. */
  retriedBy?: string;
  /** What was answered at a gate, by key of field. */
  answers?: Record<string, string>;
}

/**
 * work:    waiting → runnable → leased → running → finished, and canceling from leased and running; a result that is used
 *          again: runnable → finished
 * deploy and trigger: waiting → runnable → requested → finished, and canceling from requested
 * block and input: waiting → blocked → finished
 * wait:    waiting → finished
 */
export type StepStatus =
  | { state: "waiting" }
  | { state: "runnable"; since: string }
  | { state: "leased"; since: string }
  | { state: "running"; since: string }
  | { state: "requested"; since: string }
  | { state: "blocked"; since: string }
  | { state: "canceling"; since: string }
  | {
      state: "finished";
      at: string;
      outcome: StepOutcome;
      reason?: string;
      exitStatus?: number;
      by?: string;
    };

/**
 * skipped: its own condition is false, counts as satisfied. broken: something it needs did not pass. canceled: somebody
 * stopped it. superseded: a newer deployment or build overtook it. soft-failed counts as passed.
 */
export const stepOutcomes = [
  "passed",
  "failed",
  "soft-failed",
  "timed-out",
  "canceled",
  "skipped",
  "broken",
  "superseded",
] as const;
export type StepOutcome = (typeof stepOutcomes)[number];

/** One try. For a deploy step `token` is the id of its request, for a trigger that of its build; then there is no agent. */
export interface Attempt {
  number: number;
  token: string;
  /** Of a triggered build, as people call it: `orders #5`. */
  name?: string;
  agent?: string;
  leasedAt: string;
  startedAt?: string;
  finishedAt?: string;
  /** Absent while it goes on. `lost`: the lease ran out. */
  outcome?: AttemptOutcome;
  exitStatus?: number;
  reason?: string;
  /** What a job hands on, such as `digest` and `image` of a publish step. */
  outputs: Record<string, string>;
  /** Nothing ran: the result of an earlier build serves. */
  reused?: ReusedResult;
}

/** Where a result comes from: the attempt that really ran. */
export interface ReusedResult {
  build: string;
  number: number;
  job: string;
  attempt: number;
}

export const attemptOutcomes = ["passed", "failed", "timed-out", "canceled", "lost", "superseded"] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];

/** Derived, never written. `failing`: something failed for good and the rest goes on. */
export interface BuildStatus {
  state: "scheduled" | "running" | "failing" | "blocked" | "canceling" | "finished";
  /** Only when finished. */
  outcome?: "passed" | "failed" | "canceled";
  /** Only when blocked: as what its gates want the build to be seen meanwhile. */
  blockedState?: BlockStep["blockedState"];
}
