/** What deploy and trigger steps share: asked for once, ended by what became of it elsewhere. Never repeated by themselves. */
import { type Refusal, refuse } from "#api/errors.ts";
import type { PlannedDeploy, PlannedTrigger } from "../plan.ts";
import type { BuildState, StepState } from "./state.ts";
import { findStep, openAttempt, plannedOf } from "./steps.ts";

interface Asked<K extends "deploy" | "trigger"> {
  found: StepState;
  planned: K extends "deploy" ? PlannedDeploy : PlannedTrigger;
}

/** The step, when it may be asked for now; "done" when this very request was taken before. */
export function readyFor<K extends "deploy" | "trigger">(
  state: BuildState,
  kind: K,
  { step, request }: { step: string; request: string },
): Asked<K> | "done" | Refusal {
  const found = findStep(state, step);
  if (!found) return refuse("not-found", `the build has no step \`${step}\``);
  if (openAttempt(found)?.token === request) return "done";
  const planned = plannedOf(state, step);
  if (planned.kind !== kind || found.status.state !== "runnable")
    return refuse(
      "build.wrong-state",
      `\`${step}\` is not ready for its ${kind === "deploy" ? "deployment" : "build"}`,
    );
  const isUsed = Object.values(state.steps).some(({ attempts }) => attempts.some(({ token }) => token === request));
  return isUsed
    ? refuse("conflict", "the id of this request was used before")
    : { found, planned: planned as Asked<K>["planned"] };
}

/** The step of the kind whose open attempt is this request. */
export function stepOfRequest(state: BuildState, kind: "deploy" | "trigger", request: string): StepState | undefined {
  const found = Object.values(state.steps).find((step) => openAttempt(step)?.token === request);
  return found && plannedOf(state, found.key).kind === kind ? found : undefined;
}
