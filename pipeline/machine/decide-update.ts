/** What a running job changes about a step of its build: its label, and which of the ready ones goes first. */
import { type Refusal, refuse } from "#api/errors.ts";
import type { Command } from "./command.ts";
import type { BuildEvent } from "./event.ts";
import type { BuildState } from "./state.ts";
import { findStep, isWork, openAttempt, plannedOf } from "./steps.ts";

/** Gates and deployments keep their words: people decide by them. */
export function decideUpdate(
  state: BuildState,
  { step: by, token, target, label, priority, at }: Extract<Command, { type: "update" }>,
): BuildEvent[] | Refusal {
  const speaker = findStep(state, by);
  if (!speaker || !isWork(plannedOf(state, by)) || openAttempt(speaker)?.token !== token)
    return refuse("lease.stale", `the job \`${by}\` has ended or belongs to somebody else`, { fix: "stop the work" });
  const planned = findStep(state, target) && plannedOf(state, target);
  if (!planned) return refuse("not-found", `the build has no step \`${target}\``);
  if (!isWork(planned) && planned.kind !== "trigger")
    return refuse("step.fixed", `\`${target}\` is a ${planned.kind} step, and stays as the pipeline has it`, {
      fix: "Only jobs and triggers can be changed.",
    });
  if (priority !== undefined && !isWork(planned))
    return refuse("step.fixed", `\`${target}\` is no job, and has no priority`);
  const isSame =
    (label ?? planned.label) === planned.label && (priority ?? priorityOf(planned)) === priorityOf(planned);
  if (isSame) return [];
  const changed = { ...(label === undefined ? {} : { label }), ...(priority === undefined ? {} : { priority }) };
  return [{ type: "step-updated", step: target, by, ...changed, at }];
}

function priorityOf(planned: ReturnType<typeof plannedOf>): number {
  return isWork(planned) ? (planned.priority ?? 0) : 0;
}
