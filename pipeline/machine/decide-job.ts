/** Commands about jobs on agents. Every one but `lease` is fenced by the token of the attempt. */
import { type Refusal, refuse } from "#api/errors.ts";
import type { PlannedWork } from "../plan.ts";
import type { Command } from "./command.ts";
import type { BuildEvent } from "./event.ts";
import type { Attempt, BuildState, StepState } from "./state.ts";
import { findStep, isWork, openAttempt, plannedOf } from "./steps.ts";
import { stoppedOutcome } from "./stopped.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;
type Decided = BuildEvent[] | Refusal;

/**
 * How often a job is begun again because its agent was lost, one loss after the other. Enough for an agent that is moved or
 * restarted a few times in a row, and an end for a job that takes its agents down.
 */
export const maximumLosses = 4;

export function decideLease(state: BuildState, { step, token, agent, at }: CommandOf<"lease">): Decided {
  const found = findStep(state, step);
  if (!found) return unknownStep(step);
  if (!isWork(plannedOf(state, step)) || found.status.state !== "runnable")
    return refuse("build.wrong-state", `\`${step}\` is not waiting for an agent`);
  const isUsed = Object.values(state.steps).some(({ attempts }) => attempts.some((attempt) => attempt.token === token));
  if (isUsed) return refuse("conflict", "the token of this lease was used before");
  return [{ type: "step-leased", step, attempt: found.attempts.length + 1, token, agent, at }];
}

export function decideStart(state: BuildState, { step, token, at }: CommandOf<"start">): Decided {
  const held = heldBy(state, step, token);
  if (!held) return stale(step);
  if (held.status.state === "running") return [];
  if (held.status.state === "canceling")
    return refuse("build.wrong-state", `\`${step}\` is being canceled`, { fix: "stop, and finish it as canceled" });
  return [{ type: "step-started", step, token, at }];
}

export function decideFinish(state: BuildState, command: CommandOf<"finish">): Decided {
  const { step, token, outcome, exitStatus, reason, outputs = {}, at } = command;
  const held = heldBy(state, step, token);
  if (!held) return isRepeated(state, command) ? [] : stale(step);
  const exit = exitStatus === undefined ? {} : { exitStatus };
  const why = reason === undefined ? {} : { reason };
  const ended: BuildEvent = { type: "attempt-ended", step, token, outcome, ...exit, ...why, outputs, at };
  if (outcome === "canceled" || (outcome !== "passed" && held.status.state === "canceling"))
    return [ended, { type: "step-finished", step, ...exit, ...why, outcome: stoppedOutcome(state), at }];
  return [ended, afterAttempt(plannedOf(state, step) as PlannedWork, held, command)];
}

export function decideLeaseExpired(state: BuildState, command: CommandOf<"lease-expired">): Decided {
  const { step, token, at } = command;
  const held = heldBy(state, step, token);
  if (!held) return [];
  const reason = command.reason ?? `the agent ${held.attempts.at(-1)?.agent ?? ""} was lost`;
  const ended: BuildEvent = { type: "attempt-ended", step, token, outcome: "lost", reason, outputs: {}, at };
  if (held.status.state === "canceling")
    return [ended, { type: "step-finished", step, outcome: stoppedOutcome(state), reason, at }];
  if (lossesInARow(held.attempts) < maximumLosses) return [ended, { type: "step-retried", step, reason, at }];
  return [
    ended,
    { type: "step-finished", step, outcome: "failed", reason: `${reason}, and ${maximumLosses} before it`, at },
  ];
}

/** The step, when its open attempt has this token. */
function heldBy(state: BuildState, key: string, token: string): StepState | undefined {
  const step = findStep(state, key);
  return step && openAttempt(step)?.token === token && isWork(plannedOf(state, key)) ? step : undefined;
}

/** An agent that got no answer says the same again. */
function isRepeated(state: BuildState, { step, token, outcome }: CommandOf<"finish">): boolean {
  return (
    findStep(state, step)?.attempts.some((attempt) => attempt.token === token && attempt.outcome === outcome) ?? false
  );
}

function unknownStep(step: string): Refusal {
  return refuse("not-found", `the build has no step \`${step}\``);
}

function stale(step: string): Refusal {
  return refuse("lease.stale", `the lease on \`${step}\` has ended or belongs to somebody else`, {
    fix: "stop the work",
  });
}

/** Ended attempts at the end of the list that were lost. */
function lossesInARow(attempts: readonly Attempt[]): number {
  const ended = attempts.filter(({ outcome }) => outcome !== undefined);
  return ended.length - 1 - ended.findLastIndex(({ outcome }) => outcome !== "lost");
}

function afterAttempt(planned: PlannedWork, held: StepState, command: CommandOf<"finish">): BuildEvent {
  const { step, outcome, exitStatus, reason, at } = command;
  const exit = exitStatus === undefined ? {} : { exitStatus };
  const why = reason === undefined ? {} : { reason };
  const finished = { type: "step-finished", step, ...exit, ...why, at } as const;
  if (outcome === "passed") return { ...finished, outcome };
  const rule = matchingRule(planned, held, command);
  if (rule !== undefined)
    return {
      type: "step-retried",
      step,
      reason: `${describe(command)}, and the retry rule ${rule + 1} allows another attempt`,
      rule,
      at,
    };
  return { ...finished, outcome: isSoft(planned, exitStatus) ? "soft-failed" : outcome };
}

function describe({ outcome, exitStatus }: CommandOf<"finish">): string {
  return outcome === "timed-out" ? "it timed out" : `it failed with exit status ${exitStatus ?? "unknown"}`;
}

/** The first rule that matches counts, even when it is used up. */
function matchingRule(
  { retry }: PlannedWork,
  { retries }: StepState,
  { exitStatus }: CommandOf<"finish">,
): number | undefined {
  const matches = (statuses: "*" | number[]): boolean =>
    statuses === "*" || (exitStatus !== undefined && statuses.includes(exitStatus));
  const index = retry.automatic.findIndex((rule) => matches(rule.exitStatus));
  const rule = retry.automatic[index];
  return rule && (retries[index] ?? 0) < rule.limit ? index : undefined;
}

function isSoft({ softFail }: PlannedWork, exitStatus: number | undefined): boolean {
  return typeof softFail === "boolean" ? softFail : exitStatus !== undefined && softFail.includes(exitStatus);
}
