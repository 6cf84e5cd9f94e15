/**
 * The rollout of one deployment. JSON-serialisable; replaying its events gives it again.
 *
 *   plan → prepare → pull → migrate ┬▶ start → probe → swap → drain → end ┐      from layout to layout; what has
 *                                   │     └─ paused ─▶ hold ─┐            │      nothing to do is left out
 *                                   └◀────── observe → hold ◀┴────────────┤
 *                                            watch → verify → stop ◀──────┘ the last layout is reached
 *
 * A failure or a cancellation goes back on the same way: restore → return → withdraw → recede, layout by layout, or at once
 * where all old instances still run; then remove. Where the old ones do not come back: keep → stop.
 *
 * Whatever the strategy, the way is a list of layouts (layout.ts). Old instances that a strategy does not end run, out of
 * traffic, until the watch is over: going back is one shift of traffic (docs/adr/0003).
 */
import type { Analysis } from "#stack/stack.ts";
import type { Layout } from "./layout.ts";
import type { Watch } from "./watch.ts";

export const phases = [
  "plan",
  "prepare",
  "pull",
  "migrate",
  "start",
  "probe",
  "swap",
  "drain",
  "end",
  "observe",
  "hold",
  "watch",
  "verify",
  "stop",
  // The way back. `restore`: old instances run and are healthy; `return`: traffic to them; `withdraw`: the new ones finish.
  "restore",
  "return",
  "withdraw",
  "recede",
  "remove",
  "keep",
  "done",
] as const;
export type Phase = (typeof phases)[number];

export type RolloutOutcome = "succeeded" | "rolled-back" | "failed" | "canceled";

/**
 * Milliseconds after which a phase that still waits has failed. `look`: how long it may be unknown how instances do, beyond
 * the time of their phase. `back`: for each phase that cannot fail any more; what is left then is the supervisor's.
 */
export type Limits = Record<Limited | "look" | "back", number>;
export type Limited =
  | "plan"
  | "prepare"
  | "pull"
  | "migrate"
  | "start"
  | "probe"
  | "swap"
  | "end"
  | "hold"
  | "verify"
  | "restore";

/** What the plan found out. */
export interface Target {
  /** Names of the instances to start. */
  instances: string[];
  /** Instances that serve, of the deployment `previous`; empty where nothing serves. */
  old: string[];
  previous: string | null;
  /** For people: `release 2`. */
  before: string;
  migrate: boolean;
  /** In place of the limit of the phase `probe`. */
  healthyWithinMs?: number;
  drainMs: number;
  watchMs: number;
  analysis: Analysis;
  /** From "the old ones serve" to "the new ones serve". */
  layouts: Layout[];
  /** Instances of both releases never run at the same time. */
  exclusive: boolean;
  /** Once it serves: instances that scaling brings or takes away, and that are not among `instances`. */
  moving?: Moving;
}

export interface Moving {
  /** They are being started. */
  arriving: string[];
  /** They finish what they have; `since` is an ISO time. */
  leaving: { instance: string; since: string }[];
  /** They serve until those that came in their place do. */
  replaced?: { instance: string; by: string }[];
}

export interface Failure {
  kind: "failed" | "canceled";
  /** A sentence, and below it the last lines that an instance wrote. */
  reason: string;
  /** Traffic may have been moved. */
  swapped: boolean;
}

export interface Rollout {
  phase: Phase;
  since: string;
  limits: Limits;
  target?: Target;
  failure?: Failure;
  /** Layout that was reached last. */
  at: number;
  /** On the way back: from what may be there of this layout, to that one. */
  back?: { from: number; to: number };
  /** When all traffic was on the new instances. */
  liveAt?: string;
  watch?: Watch;
  /** Who wants no traffic to move for now. */
  paused?: string;
  /** The old instances did not come back. */
  kept?: true;
  /** Open requests that were cut off. */
  cut: number;
  outcome?: RolloutOutcome;
  reason?: string;
}

export type RolloutEvent =
  | { type: "entered"; phase: Exclude<Phase, "done">; at: string }
  | { type: "targeted"; target: Target }
  | { type: "failed"; failure: Failure }
  | { type: "shifted"; watch: Watch }
  /** All traffic is on the new instances. */
  | { type: "went-live"; at: string }
  | { type: "reached"; layout: number }
  | { type: "turned-back"; from: number; to: number }
  | { type: "watched"; watch: Watch }
  /** What a comparison came to, in words. */
  | { type: "judged"; words: string }
  | { type: "paused"; by: string }
  | { type: "promoted"; by: string }
  /** The old instances did not come back: these keep the traffic. */
  | { type: "kept" }
  | { type: "cut"; sessions: number }
  | { type: "finished"; outcome: RolloutOutcome; reason?: string; at: string };

export function begin(at: string, limits: Limits): Rollout {
  return { phase: "plan", since: at, limits, at: 0, cut: 0 };
}

export function apply(state: Rollout, event: RolloutEvent): Rollout {
  switch (event.type) {
    case "entered":
      return { ...state, phase: event.phase, since: event.at };
    case "targeted":
      return { ...state, target: event.target };
    case "failed":
      return { ...state, failure: event.failure };
    case "shifted":
    case "watched":
      return { ...state, watch: event.watch };
    case "went-live":
      return { ...state, liveAt: event.at };
    case "reached":
      return { ...state, at: event.layout };
    case "turned-back":
      return { ...state, back: { from: event.from, to: event.to } };
    case "judged":
      return state;
    case "kept":
      return { ...state, kept: true };
    case "paused":
      return { ...state, paused: event.by };
    case "promoted":
      return goingOn(state);
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

function goingOn({ paused: _, ...state }: Rollout): Rollout {
  return state;
}

/** The two layouts between which a rollout is at work now. */
export function layoutsAt({ target, at, back }: Rollout): { from: Layout; to: Layout } {
  const layouts = target?.layouts ?? [];
  const none: Layout = { running: [], weights: {} };
  const [from, to] = back ? [back.from, back.to] : [at, at + 1];
  const last = layouts.at(-1) ?? none;
  return { from: layouts[from] ?? last, to: layouts[to] ?? last };
}

/** The layout that is in force while nothing moves. */
export function layoutNow({ target, at }: Rollout): Layout {
  return target?.layouts[at] ?? { running: [], weights: {} };
}
