/** The way forward, from layout to layout. */
import { changeBetween } from "./layout.ts";
import { layoutsAt, type Rollout, type RolloutEvent } from "./rollout.ts";

/** Sets out for the next layout. */
export function toward(state: Rollout, at: string): RolloutEvent {
  const { from, to } = layoutsAt(state);
  return { type: "entered", phase: changeBetween(from, to).start.length > 0 ? "start" : "swap", at };
}

/** After the traffic has moved. */
export function leave(state: Rollout, at: string): RolloutEvent[] {
  const { from, to } = layoutsAt(state);
  const change = changeBetween(from, to);
  if (change.leave.length > 0) return [{ type: "entered", phase: "drain", at }];
  return change.end.length > 0 ? [{ type: "entered", phase: "end", at }] : reached(state, at);
}

/** A layout is as it should be: it is stayed in, or the way goes on. */
export function reached(state: Rollout, at: string): RolloutEvent[] {
  const layouts = state.target?.layouts ?? [];
  const layout = state.at + 1;
  const noted: RolloutEvent = { type: "reached", layout };
  if (layout >= layouts.length - 1) return [noted, { type: "entered", phase: "watch", at }];
  const stay = layouts[layout]?.stay;
  if (stay && stay.ms > 0 && state.paused === undefined) return [noted, { type: "entered", phase: "observe", at }];
  if (stay?.hold || state.paused !== undefined) return [noted, { type: "entered", phase: "hold", at }];
  return [noted, toward({ ...state, at: layout }, at)];
}

/** What comes after a stay. */
export function stayed(state: Rollout, at: string): RolloutEvent {
  const hold = state.target?.layouts[state.at]?.stay?.hold === true || state.paused !== undefined;
  return hold ? { type: "entered", phase: "hold", at } : toward(state, at);
}
