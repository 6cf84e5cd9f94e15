/** What follows from what was seen or asked. An answer to a phase that is over follows nothing. */
import { changeBetween, type Layout } from "./layout.ts";
import { looked, patience } from "./looked.ts";
import type { Observation, Wish } from "./observation.ts";
import { apply, layoutsAt, type Limits, type Phase, type Rollout, type RolloutEvent } from "./rollout.ts";
import { leave, reached, toward } from "./steps.ts";
import { fail, finished, giveUp, isGoingBack, millisecondsBetween, stepBack, turnKeep } from "./turning-back.ts";
import { markWatch, startWatch, watchOn } from "./watch.ts";

export function decide(state: Rollout, input: Observation | Wish): RolloutEvent[] {
  if (state.phase === "done") return [];
  switch (input.type) {
    case "cancel":
      return state.failure ? [] : fail(state, { reason: `canceled by ${input.by}`, canceled: true, at: input.at });
    case "pause":
      return pause(state, input);
    case "promote":
      return promote(state, input);
    default:
      return input.phase === state.phase ? observed(state, input) : [];
  }
}

/** The state after all events of a decision. */
export function evolve(state: Rollout, events: readonly RolloutEvent[]): Rollout {
  return events.reduce(apply, state);
}

/** Whether traffic of a rollout can still be held back. */
export function canPause({ failure, target, at }: Rollout): boolean {
  return !failure && !(target && at >= target.layouts.length - 1);
}

function pause(state: Rollout, { by, at }: Wish): RolloutEvent[] {
  if (!canPause(state) || state.paused !== undefined) return [];
  const noted: RolloutEvent = { type: "paused", by };
  return state.phase === "observe" ? [noted, { type: "entered", phase: "hold", at }] : [noted];
}

function promote(state: Rollout, { by, at }: Wish): RolloutEvent[] {
  if (state.failure) return [];
  const noted: RolloutEvent = { type: "promoted", by };
  if (state.phase === "hold" || state.phase === "observe") return [noted, toward(state, at)];
  return state.paused === undefined ? [] : [noted];
}

function observed(state: Rollout, input: Observation): RolloutEvent[] {
  const { at } = input;
  switch (input.type) {
    case "planned":
      return [
        { type: "targeted", target: input.target },
        ...(input.note === undefined ? [] : [{ type: "judged" as const, words: input.note }]),
        { type: "entered", phase: "prepare", at },
      ];
    case "swapped":
      return swapped(state, input);
    case "looked":
      return looked(state, input);
    case "stopped": {
      const cut: RolloutEvent[] = input.cut > 0 ? [{ type: "cut", sessions: input.cut }] : [];
      return [...cut, ...onwards(evolve(state, cut), at)];
    }
    case "done":
      return onwards(state, at);
    case "failed":
      return failed(state, input.reason, at);
    // pending
    default:
      return pending(state, input.detail, at);
  }
}

/** The traffic has moved: what is watched and compared begins here. */
function swapped(state: Rollout, { look, at }: Extract<Observation, { type: "swapped" }>): RolloutEvent[] {
  const { to } = layoutsAt(state);
  const before = state.watch ? watchOn(state.watch, look) : startWatch(look);
  const watch = to.stay?.kind === "ramp" ? before : markWatch(before);
  const events: RolloutEvent[] = [{ type: "shifted", watch }];
  if (isLive(state, to)) events.push({ type: "went-live", at });
  return [...events, ...leave(evolve(state, events), at)];
}

function isLive({ target, liveAt }: Rollout, { weights }: Layout): boolean {
  if (!target || liveAt !== undefined) return false;
  return target.instances.every((name) => name in weights) && !target.old.some((name) => name in weights);
}

function pending(state: Rollout, detail: string | undefined, at: string): RolloutEvent[] {
  const waited = millisecondsBetween(state.since, at);
  if (state.phase === "withdraw" && waited >= (state.target?.drainMs ?? 0)) return onwards(state, at);
  const most = limitOf(state);
  if (waited < most) return [];
  const seconds = Math.round(most / 1000);
  return failed(state, `${detail ?? unfinished[state.phase] ?? "nothing was heard"}, after ${seconds} s`, at);
}

const unfinished: Partial<Record<Phase, string>> = {
  plan: "the plan was not made",
  prepare: "network and backing services were not ready",
  pull: "the image did not arrive",
  migrate: "the migration did not end",
  start: "the instances did not start",
  probe: "the instances did not become healthy",
  swap: "the balancer did not take the new instances",
  end: "the old instances did not end",
  hold: "nobody promoted it",
  verify: "it was not seen what serves",
  restore: "the instances of the release before did not come back",
};

/** Milliseconds that new instances get to become healthy. */
export function healthyWithin({ limits, target }: Rollout): number {
  return target?.healthyWithinMs ?? limits.probe;
}

/** Milliseconds that the phase may take, even where nothing can be seen any more. */
function limitOf(rollout: Rollout): number {
  const { phase, limits, target, at } = rollout;
  // Who looks tells in time, with what the instances wrote.
  if (phase === "probe") return healthyWithin(rollout) + limits.look;
  if (phase === "drain") return (target?.drainMs ?? 0) + limits.look;
  if (phase === "watch") return (target?.watchMs ?? 0) + limits.look;
  if (phase === "observe") return patience * (target?.layouts[at]?.stay?.ms ?? 0) + limits.look;
  return phase in limits ? limits[phase as keyof Limits] : limits.back;
}

/** What is on its way back keeps trying, except that old instances that never come back leave the traffic where it is. */
function failed(state: Rollout, reason: string, at: string): RolloutEvent[] {
  if (state.phase === "restore") return turnKeep(state, reason, at);
  if (!isGoingBack(state) && state.phase !== "stop") return fail(state, { reason, canceled: false, at });
  return millisecondsBetween(state.since, at) < state.limits.back ? [] : giveUp(state, reason, at);
}

/** The phase after one that is done. */
function onwards(state: Rollout, at: string): RolloutEvent[] {
  const enter = (phase: Exclude<Phase, "done">): RolloutEvent[] => [{ type: "entered", phase, at }];
  switch (state.phase) {
    case "plan":
    case "done":
    case "observe":
    case "hold":
      return [];
    case "prepare":
      return enter("pull");
    case "pull":
      return state.target?.migrate ? enter("migrate") : [toward(state, at)];
    case "migrate":
      return [toward(state, at)];
    case "start":
      return enter("probe");
    case "probe":
      return enter(state.paused === undefined ? "swap" : "hold");
    case "swap":
      return leave(state, at);
    case "drain":
      return changeBetween(layoutsAt(state).from, layoutsAt(state).to).end.length > 0
        ? enter("end")
        : reached(state, at);
    case "end":
      return reached(state, at);
    case "watch":
      return enter("verify");
    case "verify":
      return enter("stop");
    case "restore":
      return enter("return");
    case "return":
      return enter("withdraw");
    case "keep":
      return enter("stop");
    case "withdraw":
    case "recede":
      return stepBack(state, at);
    case "remove":
    // stop
    default:
      return [finished(state, at)];
  }
}
