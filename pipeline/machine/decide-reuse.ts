/** A step that ends without running, because an earlier build did the same. */
import { type Refusal, refuse } from "#api/errors.ts";
import type { Command } from "./command.ts";
import type { BuildEvent } from "./event.ts";
import type { BuildState } from "./state.ts";
import { findStep, plannedOf } from "./steps.ts";

/** Who tries a step again wants it to run, and nothing that makes or deploys an image is taken from elsewhere. */
export function mayReuse(state: BuildState, key: string): boolean {
  const found = findStep(state, key);
  const planned = found && plannedOf(state, key);
  if (planned?.kind !== "command" && planned?.kind !== "test") return false;
  const isFirst = found?.attempts.length === 0 && found.retriedBy === undefined;
  return planned.reuseKey !== undefined && found?.status.state === "runnable" && isFirst;
}

export function decideReuse(
  state: BuildState,
  { step, token, of, at }: Extract<Command, { type: "reuse" }>,
): BuildEvent[] | Refusal {
  if (!mayReuse(state, step))
    return refuse("build.wrong-state", `\`${step}\` does not take the result of another build`);
  const isUsed = Object.values(state.steps).some(({ attempts }) => attempts.some((attempt) => attempt.token === token));
  if (isUsed) return refuse("conflict", "the token was used before");
  return [
    { type: "step-reused", step, attempt: 1, token, of, at },
    { type: "step-finished", step, outcome: "passed", exitStatus: 0, reason: `reused from build #${of.number}`, at },
  ];
}
