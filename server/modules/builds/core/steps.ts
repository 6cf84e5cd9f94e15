import type { BuildState } from "#pipeline/machine/state.ts";
import { openAttempt, stepOf } from "#pipeline/machine/steps.ts";

/** Whether a deployment that the build asked for has not ended. */
export function deploys(state: BuildState | null): boolean {
  if (!state) return false;
  return state.plan.steps.some(({ key, kind }) => kind === "deploy" && openAttempt(stepOf(state, key)) !== undefined);
}

/** Whether the build makes an image. */
export function publishes(state: BuildState | null): boolean {
  return Boolean(state?.plan.steps.some(({ kind, skipped }) => kind === "publish" && !skipped));
}
