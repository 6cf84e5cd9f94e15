/** Commands about trigger steps: their attempt is the build that they started. */
import { type Refusal, isRefusal, refuse } from "#api/errors.ts";
import type { PlannedTrigger } from "../plan.ts";
import type { Command } from "./command.ts";
import type { BuildEvent } from "./event.ts";
import { readyFor, stepOfRequest } from "./request.ts";
import type { BuildState, StepOutcome } from "./state.ts";
import { findStep, plannedOf } from "./steps.ts";
import { stoppedOutcome } from "./stopped.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;
type Decided = BuildEvent[] | Refusal;

export function decideRequestBuild(state: BuildState, command: CommandOf<"request-build">): Decided {
  const { step, request, name, at } = command;
  const ready = readyFor(state, "trigger", { step, request });
  if (ready === "done") return [];
  if (isRefusal(ready)) return ready;
  const requested = {
    type: "build-requested",
    step,
    attempt: ready.found.attempts.length + 1,
    request,
    name,
    at,
  } as const;
  if (!ready.planned.async) return [requested];
  const reason = `${name} was started and is not waited for`;
  return [requested, ...ended(step, { request, outcome: "passed", reason, at })];
}

/** No build could be started. */
export function decideBuildRefused(state: BuildState, { step, reason, at }: CommandOf<"build-refused">): Decided {
  const found = findStep(state, step);
  const planned = found && plannedOf(state, step);
  if (!found || planned?.kind !== "trigger" || found.status.state !== "runnable")
    return refuse("build.wrong-state", `\`${step}\` is not ready for its build`);
  return [{ type: "step-finished", step, outcome: isSoft(planned) ? "soft-failed" : "failed", reason, at }];
}

export function decideTriggeredFinished(state: BuildState, command: CommandOf<"triggered-finished">): Decided {
  const { request, outcome, reason, at } = command;
  const found = stepOfRequest(state, "trigger", request);
  // Said twice, or about a build that is not waited for: nothing to do.
  if (!found) return [];
  const { key: step, status } = found;
  if (outcome === "passed") return ended(step, { request, outcome, reason, at });
  if (status.state === "canceling")
    return ended(step, { request, outcome: "canceled", end: stoppedOutcome(state), reason, at });
  const planned = plannedOf(state, step) as PlannedTrigger;
  const end = isSoft(planned) ? "soft-failed" : "failed";
  return ended(step, { request, outcome, end, reason, at });
}

interface Ended {
  request: string;
  outcome: "passed" | "failed" | "canceled";
  /** Of the step, where it is another than that of the attempt. */
  end?: StepOutcome;
  reason: string;
  at: string;
}

function ended(step: string, { request, outcome, end = outcome, reason, at }: Ended): BuildEvent[] {
  return [
    { type: "attempt-ended", step, token: request, outcome, reason, outputs: {}, at },
    { type: "step-finished", step, outcome: end, reason, at },
  ];
}

/** A triggered build has no exit status; a list of them counts a failure as 1. */
function isSoft({ softFail }: PlannedTrigger): boolean {
  return typeof softFail === "boolean" ? softFail : softFail.includes(1);
}
