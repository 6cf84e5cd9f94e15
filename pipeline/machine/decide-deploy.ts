/** Commands about deploy steps: asked for once, ended by what became of the deployment. Never repeated by themselves. */
import { type Refusal, refuse } from "#api/errors.ts";
import type { Command } from "./command.ts";
import type { BuildEvent } from "./event.ts";
import type { AttemptOutcome, BuildState } from "./state.ts";
import { findStep, openAttempt, plannedOf } from "./steps.ts";
import { actorOf } from "./actor.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;
type Decided = BuildEvent[] | Refusal;

export function decideRequestDeploy(state: BuildState, { step, request, at }: CommandOf<"request-deploy">): Decided {
  const found = findStep(state, step);
  if (!found) return refuse("not-found", `the build has no step \`${step}\``);
  const planned = plannedOf(state, step);
  if (openAttempt(found)?.token === request) return [];
  if (planned.kind !== "deploy" || found.status.state !== "runnable")
    return refuse("build.wrong-state", `\`${step}\` is not ready to be deployed`);
  const isUsed = Object.values(state.steps).some(({ attempts }) => attempts.some(({ token }) => token === request));
  if (isUsed) return refuse("conflict", "the id of this request was used before");
  const actor = actorOf(state, step);
  const { environment } = planned;
  return [
    {
      type: "deploy-requested",
      step,
      attempt: found.attempts.length + 1,
      request,
      environment,
      ...(actor === undefined ? {} : { actor }),
      at,
    },
  ];
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
  const found = Object.values(state.steps).find((step) => openAttempt(step)?.token === request);
  // Said twice, or about a build that knows nothing of it: nothing to do.
  if (!found || plannedOf(state, found.key).kind !== "deploy") return [];
  const { key: step } = found;
  const outcome = attemptOutcomes[command.outcome];
  const reason = command.reason ?? (command.outcome === "rolled-back" ? "rolled back" : undefined);
  const why = reason === undefined ? {} : { reason };
  return [
    { type: "attempt-ended", step, token: request, outcome, ...why, outputs: {}, at },
    { type: "step-finished", step, outcome, ...why, at },
  ];
}
