/** Commands about jobs on agents. Every one but `lease` is fenced by the token of the attempt. */
import { type Refusal, refuse } from "#api/errors.ts";
import type { PlannedWork } from "../plan.ts";
import type { Command } from "./command.ts";
import type { BuildEvent } from "./event.ts";
import type { Attempt, BuildState, StepState } from "./state.ts";
import { type AttemptEnd, matchingRule } from "./retry-rule.ts";
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
  const { step, token, stopped = false, at } = command;
  const held = heldBy(state, step, token);
  if (!held) return [];
  const reason = command.reason ?? `the agent ${held.attempts.at(-1)?.agent ?? ""} was lost`;
  const ended: BuildEvent = { type: "attempt-ended", step, token, outcome: "lost", reason, outputs: {}, at };
  if (held.status.state === "canceling")
    return [ended, { type: "step-finished", step, outcome: stoppedOutcome(state), reason, at }];
  return [ended, afterLoss(plannedOf(state, step) as PlannedWork, held, { step, reason, stopped, at })];
}

interface Loss {
  step: string;
  reason: string;
  /** The agent said that it stops, and was not simply gone. */
  stopped: boolean;
  at: string;
}

/** Where the author wrote retry rules, they alone decide; else a lost job is begun again, and not for ever. */
function afterLoss(planned: PlannedWork, held: StepState, { step, reason, stopped, at }: Loss): BuildEvent {
  const end = { exitStatus: -1, signalReason: stopped ? "agent_stop" : "agent_lost" } as const;
  const rule = matchingRule(planned.retry, held.retries, end);
  if (rule !== undefined) return retriedBy(rule, { step, reason, at });
  const finished = {
    type: "step-finished",
    step,
    outcome: isSoft(planned, -1) ? "soft-failed" : "failed",
    at,
  } as const;
  if (planned.retry.automatic.length > 0)
    return { ...finished, reason: `${reason}, and no retry rule is left for that` };
  if (lossesInARow(held.attempts) < maximumLosses) return { type: "step-retried", step, reason, at };
  return { ...finished, reason: `${reason}, and ${maximumLosses} before it` };
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
  const { step, outcome, exitStatus, reason, excuse, at } = command;
  const exit = exitStatus === undefined ? {} : { exitStatus };
  const why = reason === undefined ? {} : { reason };
  const finished = { type: "step-finished", step, ...exit, ...why, at } as const;
  if (outcome === "passed") return { ...finished, outcome };
  if (outcome === "failed" && excuse !== undefined) return { ...finished, outcome: "soft-failed", reason: excuse };
  const rule = matchingRule(planned.retry, held.retries, endOf(command));
  if (rule !== undefined) return retriedBy(rule, { step, reason: describe(command), at });
  return { ...finished, outcome: isSoft(planned, exitStatus) ? "soft-failed" : outcome };
}

function retriedBy(rule: number, { step, reason, at }: { step: string; reason: string; at: string }): BuildEvent {
  const why = `${reason}, and the retry rule ${rule + 1} allows another attempt`;
  return { type: "step-retried", step, reason: why, rule, at };
}

/** A timeout stops the job as a cancel does; a job whose command never ran has broken before. */
function endOf({ outcome, exitStatus }: CommandOf<"finish">): AttemptEnd {
  if (outcome === "timed-out") return { exitStatus: exitStatus ?? -1, signalReason: "cancel" };
  return exitStatus === undefined
    ? { exitStatus: -1, signalReason: "process_run_error" }
    : { exitStatus, signalReason: "none" };
}

function describe({ outcome, exitStatus }: CommandOf<"finish">): string {
  return outcome === "timed-out" ? "it timed out" : `it failed with exit status ${exitStatus ?? "unknown"}`;
}

function isSoft({ softFail }: PlannedWork, exitStatus: number | undefined): boolean {
  return typeof softFail === "boolean" ? softFail : exitStatus !== undefined && softFail.includes(exitStatus);
}
