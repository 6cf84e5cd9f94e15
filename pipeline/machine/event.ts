/** What happened to a build: enough for a timeline (who, what, why, when) and to make the state again. */
import type { Plan, PlannedStep } from "../plan.ts";
import type { Notification } from "../step.ts";
import type { AttemptOutcome, BuildStatus, ReusedResult, StepOutcome } from "./state.ts";

export type BuildEvent =
  | { type: "build-created"; plan: Plan; by?: string; at: string }
  | { type: "build-cancel-requested"; by: string; reason?: string; supersededBy?: number; at: string }
  | { type: "build-finished"; outcome: NonNullable<BuildStatus["outcome"]>; at: string }
  | { type: "build-reopened"; by: string; at: string }
  /**
   * `after`: the step they stand behind. `dependents`: steps that wait for the job that added them, and now for them too.
   * `gates`: gates at or before the added steps; `gated`: steps behind them that tolerate some failure, which must not open
   * a gate.
   */
  | {
      type: "steps-added";
      upload: string;
      by: string;
      attempt: number;
      steps: PlannedStep[];
      after: string;
      dependents: { key: string; allowFailure: boolean }[];
      gates: string[];
      gated: string[];
      notify?: Notification[];
      /** Steps that had not begun and that these take the place of. */
      removed?: string[];
      at: string;
    }
  | { type: "step-updated"; step: string; by: string; label?: string; priority?: number; at: string }
  | { type: "step-runnable"; step: string; at: string }
  | { type: "step-blocked"; step: string; at: string }
  | { type: "step-unblocked"; step: string; by: string; role: string; answers?: Record<string, string>; at: string }
  | { type: "step-leased"; step: string; attempt: number; token: string; agent: string; at: string }
  /** The attempt of another build that passed serves as this step's own. */
  | { type: "step-reused"; step: string; attempt: number; token: string; of: ReusedResult; at: string }
  | { type: "step-started"; step: string; token: string; at: string }
  | { type: "step-canceling"; step: string; at: string }
  | {
      type: "attempt-ended";
      step: string;
      token: string;
      outcome: AttemptOutcome;
      exitStatus?: number;
      reason?: string;
      outputs: Record<string, string>;
      at: string;
    }
  /** `by` is absent for automatic retries; `rule` is the index of the retry rule that matched. */
  | { type: "step-retried"; step: string; reason: string; by?: string; rule?: number; at: string }
  /** Back to waiting, because something before it is tried again. */
  | { type: "step-reset"; step: string; at: string }
  | {
      type: "step-finished";
      step: string;
      outcome: StepOutcome;
      exitStatus?: number;
      reason?: string;
      by?: string;
      at: string;
    }
  | { type: "build-requested"; step: string; attempt: number; request: string; name: string; at: string }
  | {
      type: "deploy-requested";
      step: string;
      attempt: number;
      request: string;
      environment: string;
      actor?: string;
      at: string;
    };
