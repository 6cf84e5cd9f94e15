/** The way back, and the end. */
import { changeBetween, layoutBefore } from "./layout.ts";
import {
  type Failure,
  layoutsAt,
  type Phase,
  type Rollout,
  type RolloutEvent,
  type RolloutOutcome,
} from "./rollout.ts";

export interface Cause {
  reason: string;
  canceled: boolean;
  at: string;
}

const moving = new Set<Phase>(["start", "probe", "swap", "drain", "end"]);
const touching = new Set<Phase>(["swap", "drain", "end"]);

export function fail(state: Rollout, { reason, canceled, at }: Cause): RolloutEvent[] {
  const { target, phase } = state;
  const swapped = state.at > 0 || touching.has(phase);
  const failure: Failure = { kind: canceled ? "canceled" : "failed", reason, swapped };
  const noted: RolloutEvent = { type: "failed", failure };
  // Before there is a target, nothing was made.
  if (!target) return [noted, ended({ ...state, failure }, { at, reason })];
  if (!swapped || target.old.length === 0) return [noted, { type: "entered", phase: "remove", at }];
  const from = Math.min(state.at + (moving.has(phase) ? 1 : 0), target.layouts.length - 1);
  const to = layoutBefore(target.layouts, from);
  return [noted, { type: "turned-back", from, to }, { type: "entered", phase: "restore", at }];
}

/** The layout to go back to has the traffic: what is too much ends, and the next step begins. */
export function stepBack(state: Rollout, at: string): RolloutEvent[] {
  const { back, target, phase } = state;
  if (!back || !target || back.to === 0) return [{ type: "entered", phase: "remove", at }];
  const { from, to } = layoutsAt(state);
  if (phase === "withdraw" && changeBetween(from, to).end.length > 0) return [{ type: "entered", phase: "recede", at }];
  const next = layoutBefore(target.layouts, back.to);
  return [
    { type: "turned-back", from: back.to, to: next },
    { type: "entered", phase: "restore", at },
  ];
}

/** The old instances do not come back: some service is better than none. */
export function turnKeep(state: Rollout, why: string, at: string): RolloutEvent[] {
  if (!state.failure) return [];
  const reason = `${state.failure.reason}\nThe release before did not come back (${why}), so this one keeps the traffic.`;
  return [
    { type: "failed", failure: { ...state.failure, kind: "failed", reason } },
    { type: "kept" },
    { type: "entered", phase: "keep", at },
  ];
}

export function isGoingBack({ failure }: Rollout): boolean {
  return failure !== undefined;
}

/** A phase that cannot fail any more has lasted too long: the deployment ends, and the supervisor does the rest. */
export function giveUp(state: Rollout, why: string, at: string): RolloutEvent[] {
  const rest = `What is left to do is done as soon as the host allows it (${why}).`;
  const reason = state.failure ? `${state.failure.reason}\n${rest}` : rest;
  return [ended(state, { at, reason })];
}

export function finished(state: Rollout, at: string): RolloutEvent {
  const reason = state.failure?.reason ?? cutReason(state);
  return ended(state, { at, ...(reason === undefined ? {} : { reason }) });
}

function ended(state: Rollout, { at, reason }: { at: string; reason?: string }): RolloutEvent {
  return { type: "finished", outcome: outcomeOf(state), ...(reason === undefined ? {} : { reason }), at };
}

function outcomeOf({ failure, target, kept }: Rollout): RolloutOutcome {
  if (!failure) return "succeeded";
  if (kept) return "failed";
  if (failure.kind === "canceled") return "canceled";
  return failure.swapped && target && target.old.length > 0 ? "rolled-back" : "failed";
}

function cutReason({ cut }: Rollout): string | undefined {
  return cut > 0 ? `${cut} open requests were cut off when the drain time was over` : undefined;
}

export function millisecondsBetween(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}
