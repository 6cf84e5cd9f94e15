/** What follows from what was seen or asked. An answer to a phase that is over follows nothing. */
import type { Failure, Limits, Phase, Rollout, RolloutEvent, RolloutOutcome, Tally, Target, Watch } from "./rollout.ts";
import { apply, forwardPhases } from "./rollout.ts";
import { type Look, startWatch, verdict, watchOn } from "./watch.ts";

/** `phase` is the one whose intent gave this answer; `at` is an ISO time. */
export type Observation = { phase: Phase; at: string } & (
  | { type: "done" }
  /** Not yet; `detail` says what is missing. */
  | { type: "pending"; detail?: string }
  /** It never will. */
  | { type: "failed"; reason: string }
  | { type: "planned"; target: Target }
  | { type: "swapped"; epoch: string; counted: Tally; old: Tally }
  /** `trouble`: an instance that does not run steadily, in half a sentence. */
  | { type: "looked"; look: Look; sessions: number; trouble?: string }
  | { type: "stopped"; cut: number }
);

export interface Cancel {
  type: "cancel";
  by: string;
  at: string;
}

export function decide(state: Rollout, input: Observation | Cancel): RolloutEvent[] {
  if (state.phase === "done") return [];
  if (input.type === "cancel")
    return state.failure ? [] : fail(state, { reason: `canceled by ${input.by}`, canceled: true, at: input.at });
  return input.phase === state.phase ? observed(state, input) : [];
}

/** The state after all events of a decision. */
export function evolve(state: Rollout, events: readonly RolloutEvent[]): Rollout {
  return events.reduce(apply, state);
}

function observed(state: Rollout, input: Observation): RolloutEvent[] {
  const { at } = input;
  switch (input.type) {
    case "planned":
      return [
        { type: "targeted", target: input.target },
        { type: "entered", phase: "prepare", at },
      ];
    case "swapped": {
      const watch = startWatch(input.epoch, input.counted, input.old);
      return [
        { type: "swapped", watch, at },
        { type: "entered", phase: "drain", at },
      ];
    }
    case "looked":
      return looked(state, input);
    case "stopped":
      return input.cut > 0
        ? [{ type: "cut", sessions: input.cut }, ...onwards({ ...state, cut: state.cut + input.cut }, at)]
        : onwards(state, at);
    case "done":
      return onwards(state, at);
    case "failed":
      return failed(state, input.reason, at);
    // pending
    default:
      return pending(state, input.detail, at);
  }
}

function pending(state: Rollout, detail: string | undefined, at: string): RolloutEvent[] {
  const waited = millisecondsBetween(state.since, at);
  if (state.phase === "withdraw") return waited >= (state.target?.drainMs ?? 0) ? onwards(state, at) : [];
  if (!hasLimit(state) || waited < state.limits[state.phase]) return [];
  const seconds = Math.round(state.limits[state.phase] / 1000);
  return failed(state, `${detail ?? unfinished[state.phase]}, after ${seconds} s`, at);
}

const unfinished: Record<keyof Limits, string> = {
  plan: "the plan was not made",
  prepare: "network and backing services were not ready",
  pull: "the image did not arrive",
  migrate: "the migration did not end",
  start: "the instances did not start",
  probe: "the instances did not become healthy",
  swap: "the balancer did not take the new instances",
  restore: "the instances of the release before did not come back",
};

function hasLimit(state: Rollout): state is Rollout & { phase: keyof Limits } {
  return state.phase in state.limits;
}

/** What is on its way back keeps trying, except that old instances that never come back leave the traffic where it is. */
function failed(state: Rollout, reason: string, at: string): RolloutEvent[] {
  if (state.phase === "stop") return [];
  if (!state.failure) return fail(state, { reason, canceled: false, at });
  if (state.phase !== "restore") return [];
  const both = `${state.failure.reason}\nThe release before did not come back (${reason}), so this one keeps the traffic.`;
  return [
    { type: "failed", failure: { ...state.failure, kind: "failed", reason: both } },
    { type: "entered", phase: "keep", at },
  ];
}

interface Cause {
  reason: string;
  canceled: boolean;
  at: string;
}

function fail(state: Rollout, { reason, canceled, at }: Cause): RolloutEvent[] {
  const swapped = forwardPhases.indexOf(state.phase as (typeof forwardPhases)[number]) >= forwardPhases.indexOf("swap");
  const failure: Failure = { kind: canceled ? "canceled" : "failed", reason, swapped };
  const noted: RolloutEvent = { type: "failed", failure };
  // Before there is a target, nothing was made.
  if (!state.target) return [noted, finished(failure.kind, reason, at)];
  return [noted, { type: "entered", phase: swapped && state.target.old.length > 0 ? "restore" : "remove", at }];
}

function looked(state: Rollout, input: Extract<Observation, { type: "looked" }>): RolloutEvent[] {
  const { look, at } = input;
  const watch = state.watch && watchOn(state.watch, look);
  if (!watch || !state.target || !state.swappedAt) return [];
  const noted: RolloutEvent[] = same(watch, state.watch) ? [] : [{ type: "watched", watch }];
  const trouble = input.trouble ?? verdict(watch, look);
  if (trouble !== undefined) return [...noted, ...fail(state, { reason: trouble, canceled: false, at })];
  const since = millisecondsBetween(state.swappedAt, at);
  const over =
    state.phase === "drain" ? input.sessions === 0 || since >= state.target.drainMs : since >= state.target.watchMs;
  return over ? [...noted, ...onwards(state, at)] : noted;
}

/** The phase after one that is done. */
function onwards(state: Rollout, at: string): RolloutEvent[] {
  const { phase, target, failure } = state;
  switch (phase) {
    case "remove":
      return [finished(outcomeOf(state), failure?.reason, at)];
    case "stop":
      return [failure ? finished("failed", failure.reason, at) : finished("succeeded", cutReason(state), at)];
    case "restore":
      return [{ type: "entered", phase: "return", at }];
    case "return":
      return [{ type: "entered", phase: "withdraw", at }];
    case "withdraw":
      return [{ type: "entered", phase: "remove", at }];
    case "keep":
      return [{ type: "entered", phase: "stop", at }];
    case "done":
      return [];
    default: {
      const next = forwardPhases[forwardPhases.indexOf(phase) + (phase === "pull" && !target?.migrate ? 2 : 1)];
      return next ? [{ type: "entered", phase: next, at }] : [];
    }
  }
}

function outcomeOf({ failure, target }: Rollout): RolloutOutcome {
  if (failure?.kind === "canceled") return "canceled";
  return failure?.swapped && target && target.old.length > 0 ? "rolled-back" : "failed";
}

function cutReason({ cut }: Rollout): string | undefined {
  return cut > 0 ? `${cut} open requests were cut off when the drain time was over` : undefined;
}

function finished(outcome: RolloutOutcome, reason: string | undefined, at: string): RolloutEvent {
  return { type: "finished", outcome, ...(reason === undefined ? {} : { reason }), at };
}

function millisecondsBetween(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

function same(left: Watch, right: Watch | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
