import type { Plan } from "../plan.ts";
import { initialState } from "./apply.ts";
import { type Settled, settle } from "./settle.ts";

/** A new build: its first state and events, with all that can begin at once. `by`: who started it. */
export function startBuild(plan: Plan, { by, at }: { by?: string; at: string }): Settled {
  return settle(initialState(plan, at), [{ type: "build-created", plan, ...(by === undefined ? {} : { by }), at }], at);
}
