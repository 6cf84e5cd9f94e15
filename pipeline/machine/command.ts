/** What can be asked of a build or observed about it. `at` is an ISO time; ids and tokens are made by the caller. */
import type { deploymentOutcomes } from "#api/events.ts";
import type { PlannedStep } from "../plan.ts";
import type { Notification } from "../step.ts";
import type { Answers } from "./answers.ts";
import type { ReusedResult } from "./state.ts";

export type Command =
  /** Gives a runnable job to an agent. `token` must be fresh. */
  | { type: "lease"; step: string; token: string; agent: string; at: string }
  | { type: "start"; step: string; token: string; at: string }
  /** A result of an earlier build serves: the job does not run. `token` must be fresh. */
  | { type: "reuse"; step: string; token: string; of: ReusedResult; at: string }
  /** Said again with the same token and outcome it changes nothing, so that agents may repeat the call. */
  | {
      type: "finish";
      step: string;
      token: string;
      outcome: "passed" | "failed" | "timed-out" | "canceled";
      exitStatus?: number;
      reason?: string;
      /** Why a failure is a soft one, whatever the step says of it. */
      excuse?: string;
      outputs?: Record<string, string>;
      at: string;
    }
  /** Observation; one that comes too late changes nothing. `reason` where more is known than that the agent was lost. */
  | { type: "lease-expired"; step: string; token: string; reason?: string; stopped?: boolean; at: string }
  /** Answers the intent `request-deploy`. */
  | { type: "request-deploy"; step: string; request: string; at: string }
  /** Observation; one that comes twice changes nothing. */
  | {
      type: "deployment-finished";
      request: string;
      outcome: (typeof deploymentOutcomes)[number];
      reason?: string;
      at: string;
    }
  /** Answers the intent `request-build` with the id of the build that was started. `name`: as people call it, `orders #5`. */
  | { type: "request-build"; step: string; request: string; name: string; at: string }
  /** The other answer: no build could be started. */
  | { type: "build-refused"; step: string; reason: string; at: string }
  /** Observation; one that comes twice changes nothing. */
  | {
      type: "triggered-finished";
      request: string;
      outcome: "passed" | "failed" | "canceled";
      reason: string;
      at: string;
    }
  /**
   * Steps that the job holding this token adds, planned, and whom the build tells beside others; `upload` names them, so that the
   * same said again adds nothing.
   */
  | {
      type: "upload";
      step: string;
      token: string;
      upload: string;
      steps: PlannedStep[];
      notify?: Notification[];
      /** Take the rest of the pipeline away before. */
      replace?: boolean;
      at: string;
    }
  /** The job holding this token changes a step of its build, itself or another. */
  | { type: "update"; step: string; token: string; target: string; label?: string; priority?: number; at: string }
  | { type: "unblock"; step: string; user: string; role: string; answers?: Answers; at: string }
  /** `supersededBy`: number of the newer build that takes the place of this one. */
  | { type: "cancel"; by: string; reason?: string; supersededBy?: number; at: string }
  | { type: "retry"; step: string; by: string; at: string }
  | { type: "retry-failed"; by: string; at: string };
