/** What follows by itself: steps that become ready, broken or canceled, and the end of the build. */
import type { PlannedStep } from "../plan.ts";
import { renderSkipReason } from "../skips.ts";
import { apply } from "./apply.ts";
import type { BuildEvent } from "./event.ts";
import type { BuildState } from "./state.ts";
import { buildStatus } from "./status.ts";
import { type Stopped, stoppedBy } from "./stopped.ts";
import { dependenciesThat, hasFailed, isGate, isWork, stepOf } from "./steps.ts";

export interface Settled {
  state: BuildState;
  /** The events given, then those that follow from them. */
  events: BuildEvent[];
}

/** Applies events and all that follows, until nothing more does. */
export function settle(before: BuildState, first: readonly BuildEvent[], at: string): Settled {
  let state = before;
  const events: BuildEvent[] = [];
  for (let next: readonly BuildEvent[] = first; next.length > 0; next = consequences(state, at)) {
    state = next.reduce((current, event) => apply(current, event), state);
    events.push(...next);
  }
  return { state, events };
}

/** One round: each step moves at most once, so that the next round sees what its dependencies became. */
function consequences(state: BuildState, at: string): BuildEvent[] {
  const isFailing = Object.values(state.steps).some(hasFailed);
  const moved = state.plan.steps.flatMap((planned) => consequence(state, planned, { at, isFailing }) ?? []);
  if (moved.length > 0 || state.closed) return moved;
  const { outcome } = buildStatus(state);
  return outcome ? [{ type: "build-finished", outcome, at }] : [];
}

interface Round {
  at: string;
  isFailing: boolean;
}

function consequence(state: BuildState, planned: PlannedStep, { at, isFailing }: Round): BuildEvent | undefined {
  const { key: step } = planned;
  const { status } = stepOf(state, step);
  if (isOvertaken(state, planned)) return { type: "step-reset", step, at };
  if (status.state === "finished") return undefined;
  if (status.state === "canceling") return undefined;
  if (planned.skipped)
    return { type: "step-finished", step, outcome: "skipped", reason: renderSkipReason(planned.skipped), at };
  if (state.cancel) return stop(state, planned, { at, ...stoppedBy(state.cancel) });
  if (isFailing && isWork(planned) && planned.cancelOnBuildFailing)
    return stop(state, planned, { at, outcome: "canceled", reason: "the build is failing" });
  return status.state === "waiting" ? ready(state, planned, at) : undefined;
}

/**
 * What it stands on has changed, because something before it is tried again: nothing breaks it any more, or a failure that
 * did not matter to it is no longer one. What has begun goes on, and a gate that a person opened stays open.
 */
function isOvertaken(state: BuildState, planned: PlannedStep): boolean {
  const { status } = stepOf(state, planned.key);
  if (status.state === "finished" && status.outcome === "broken") return brokenBy(state, planned) === undefined;
  const isPassedWait = planned.kind === "wait" && status.state === "finished" && status.outcome === "passed";
  const isReady = status.state === "runnable" || status.state === "blocked" || isPassedWait;
  return isReady && !state.cancel && dependenciesThat(state, planned, "pending").length > 0;
}

function brokenBy(state: BuildState, planned: PlannedStep): string | undefined {
  return dependenciesThat(state, planned, "failed")[0];
}

/** What is at work has to be stopped by whoever holds it; the rest ends here. */
function stop(
  state: BuildState,
  { key: step }: PlannedStep,
  { at, outcome, reason }: Stopped & { at: string },
): BuildEvent {
  const { status } = stepOf(state, step);
  const isHeld = status.state === "leased" || status.state === "running" || status.state === "requested";
  return isHeld ? { type: "step-canceling", step, at } : { type: "step-finished", step, outcome, reason, at };
}

function ready(state: BuildState, planned: PlannedStep, at: string): BuildEvent | undefined {
  const { key: step, kind } = planned;
  const cause = brokenBy(state, planned);
  if (cause !== undefined)
    return { type: "step-finished", step, outcome: "broken", reason: `\`${cause}\` did not pass`, at };
  if (dependenciesThat(state, planned, "pending").length > 0) return undefined;
  if (kind === "wait") return { type: "step-finished", step, outcome: "passed", at };
  return { type: isGate(planned) ? "step-blocked" : "step-runnable", step, at };
}
