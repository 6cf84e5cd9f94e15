/** What follows from a look at instances that have traffic. */
import { judge, type Verdict } from "./analysis.ts";
import type { Observation } from "./observation.ts";
import { changeBetween } from "./layout.ts";
import { layoutsAt, type Rollout, type RolloutEvent, type Target } from "./rollout.ts";
import { reached, stayed } from "./steps.ts";
import { fail, millisecondsBetween } from "./turning-back.ts";
import { verdict, type Watch, watchOn } from "./watch.ts";

/** A share that saw too few requests is looked at so many times as long before the way goes on. */
export const patience = 3;

export function looked(state: Rollout, input: Extract<Observation, { type: "looked" }>): RolloutEvent[] {
  const { look, at } = input;
  if (!state.target) return [];
  const watch = state.watch && watchOn(state.watch, look);
  const noted: RolloutEvent[] = watch && !same(watch, state.watch) ? [{ type: "watched", watch }] : [];
  const compared = watch && comparison(state, state.target, watch);
  const trouble = input.trouble ?? (watch && verdict(watch, look)) ?? compared?.worse;
  if (trouble !== undefined) return [...noted, ...fail(state, { reason: trouble, canceled: false, at })];
  return [...noted, ...onwards(state, state.target, { at, sessions: input.sessions, compared })];
}

/** Only where a new release has just a share of the traffic. */
function comparison({ phase, at }: Rollout, target: Target, watch: Watch): Verdict | undefined {
  const judged = target.layouts[at]?.stay?.kind === "judge" && (phase === "observe" || phase === "hold");
  return judged ? judge(watch, target.analysis, target.before) : undefined;
}

interface Seen {
  at: string;
  sessions: number;
  compared: Verdict | undefined;
}

function onwards(state: Rollout, target: Target, { at, sessions, compared }: Seen): RolloutEvent[] {
  const since = millisecondsBetween(state.since, at);
  const entered = (phase: "end" | "verify"): RolloutEvent => ({ type: "entered", phase, at });
  switch (state.phase) {
    case "drain": {
      if (sessions > 0 && since < target.drainMs) return [];
      const { from, to } = layoutsAt(state);
      return changeBetween(from, to).end.length > 0 ? [entered("end")] : reached(state, at);
    }
    case "observe": {
      const { ms = 0 } = target.layouts[state.at]?.stay ?? {};
      if (since < ms || (compared?.enough === false && since < ms * patience)) return [];
      const judged: RolloutEvent[] = compared ? [{ type: "judged", words: compared.words }] : [];
      return [...judged, stayed(state, at)];
    }
    case "hold":
      if (since < state.limits.hold) return [];
      return fail(state, { reason: `nobody promoted it within ${hours(state.limits.hold)}`, canceled: false, at });
    // watch
    default:
      return millisecondsBetween(state.liveAt ?? state.since, at) < target.watchMs ? [] : [entered("verify")];
  }
}

function hours(milliseconds: number): string {
  return `${Math.round(milliseconds / 3_600_000)} hours`;
}

function same(left: Watch, right: Watch | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
