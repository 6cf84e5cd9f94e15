/** Commands about deploy steps. */
import { type Refusal, isRefusal } from "#api/errors.ts";
import { actorOf } from "./actor.ts";
import type { Command } from "./command.ts";
import type { BuildEvent } from "./event.ts";
import { readyFor, stepOfRequest } from "./request.ts";
import type { AttemptOutcome, BuildState } from "./state.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;
type Decided = BuildEvent[] | Refusal;

export function decideRequestDeploy(state: BuildState, { step, request, at }: CommandOf<"request-deploy">): Decided {
  const ready = readyFor(state, "deploy", { step, request });
  if (ready === "done") return [];
  if (isRefusal(ready)) return ready;
  const actor = actorOf(state, step);
  const { environment } = ready.planned;
  const attempt = ready.found.attempts.length + 1;
  const by = actor === undefined ? {} : { actor };
  return [{ type: "deploy-requested", step, attempt, request, environment, ...by, at }];
}

/** How the end of a deployment reads as the end of an attempt. A rollback is safe, and still no success. */
const attemptOutcomes: Record<
  CommandOf<"deployment-finished">["outcome"],
  AttemptOutcome & ("passed" | "failed" | "canceled" | "superseded")
> = {
  succeeded: "passed",
  "rolled-back": "failed",
  failed: "failed",
  canceled: "canceled",
  superseded: "superseded",
};

export function decideDeploymentFinished(state: BuildState, command: CommandOf<"deployment-finished">): Decided {
  const { request, at } = command;
  const found = stepOfRequest(state, "deploy", request);
  // Said twice, or about a build that knows nothing of it: nothing to do.
  if (!found) return [];
  const { key: step } = found;
  const outcome = attemptOutcomes[command.outcome];
  const reason = command.reason ?? (command.outcome === "rolled-back" ? "rolled back" : undefined);
  const why = reason === undefined ? {} : { reason };
  return [
    { type: "attempt-ended", step, token: request, outcome, ...why, outputs: {}, at },
    { type: "step-finished", step, outcome, ...why, at },
  ];
}
