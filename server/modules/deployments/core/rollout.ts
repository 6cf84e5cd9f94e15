/**
 * The rollout of one deployment. JSON-serialisable; replaying its events gives it again.
 *
 *   plan → prepare → pull → migrate → start → probe → swap → drain → watch → stop → done
 *                              └─────────┴───────┴──▶ remove ─────────────────────▶ done
 *                       swap, drain, watch, stop ──▶ restore → return → withdraw → remove → done
 *                                                    └─ the old ones do not come back ─▶ keep → stop → done
 *
 * The old instances run, out of traffic, until the watch is over: going back is one shift of traffic (docs/adr/0003).
 */

export const forwardPhases = [
  "plan",
  "prepare",
  "pull",
  "migrate",
  "start",
  "probe",
  "swap",
  "drain",
  "watch",
  "stop",
] as const;
/** `restore`: the old instances run and are healthy; `return`: traffic to them; `withdraw`: the new ones finish what they have. */
export const backwardPhases = ["restore", "return", "withdraw", "remove", "keep"] as const;
export type Phase = (typeof forwardPhases)[number] | (typeof backwardPhases)[number] | "done";

export type RolloutOutcome = "succeeded" | "rolled-back" | "failed" | "canceled";

/** Milliseconds after which a phase that still waits has failed. */
export type Limits = Record<"plan" | "prepare" | "pull" | "migrate" | "start" | "probe" | "swap" | "restore", number>;

/** What the plan found out. */
export interface Target {
  /** Names of the instances to start. */
  instances: string[];
  /** Instances that serve, of the deployment `previous`; empty where nothing serves. */
  old: string[];
  previous: string | null;
  migrate: boolean;
  drainMs: number;
  watchMs: number;
}

export interface Failure {
  kind: "failed" | "canceled";
  /** A sentence, and below it the last lines that an instance wrote. */
  reason: string;
  /** Traffic may have reached the new instances. */
  swapped: boolean;
}

export interface Tally {
  requests: number;
  errors: number;
}

export interface Watch {
  /** Life of the counters; a new one counts from zero. */
  epoch: string;
  /** What the counters said when this epoch was first seen. */
  base: Tally;
  /** Counted in earlier epochs. */
  carried: Tally;
  seen: Tally;
  /** Share of failed requests of the old instances before the swap. */
  usualShare: number;
  /** Looks in a row at which an instance was not healthy. */
  unhealthy: number;
}

export interface Rollout {
  phase: Phase;
  since: string;
  limits: Limits;
  target?: Target;
  failure?: Failure;
  /** When all traffic was on the new instances. */
  swappedAt?: string;
  watch?: Watch;
  /** Open requests that were cut off. */
  cut: number;
  outcome?: RolloutOutcome;
  reason?: string;
}

export type RolloutEvent =
  | { type: "entered"; phase: Exclude<Phase, "done">; at: string }
  | { type: "targeted"; target: Target }
  | { type: "failed"; failure: Failure }
  | { type: "swapped"; watch: Watch; at: string }
  | { type: "watched"; watch: Watch }
  | { type: "cut"; sessions: number }
  | { type: "finished"; outcome: RolloutOutcome; reason?: string; at: string };

export function begin(at: string, limits: Limits): Rollout {
  return { phase: "plan", since: at, limits, cut: 0 };
}

export function apply(state: Rollout, event: RolloutEvent): Rollout {
  switch (event.type) {
    case "entered":
      return { ...state, phase: event.phase, since: event.at };
    case "targeted":
      return { ...state, target: event.target };
    case "failed":
      return { ...state, failure: event.failure };
    case "swapped":
      return { ...state, watch: event.watch, swappedAt: event.at };
    case "watched":
      return { ...state, watch: event.watch };
    case "cut":
      return { ...state, cut: state.cut + event.sessions };
    // finished
    default:
      return {
        ...state,
        phase: "done",
        since: event.at,
        outcome: event.outcome,
        ...(event.reason === undefined ? {} : { reason: event.reason }),
      };
  }
}
