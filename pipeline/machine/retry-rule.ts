/** Which automatic retry rule an ended attempt meets. */
import type { Retry, RetryRule } from "../step.ts";

export interface AttemptEnd {
  /** -1 where no command came to its end, as when the agent was lost. */
  exitStatus: number;
  signalReason: NonNullable<RetryRule["signalReason"]>;
}

/** The index of the first rule that matches, unless it is used up. `used`: retries so far by index. */
export function matchingRule(
  { automatic }: Pick<Retry, "automatic">,
  used: Readonly<Record<string, number>>,
  end: AttemptEnd,
): number | undefined {
  const index = automatic.findIndex((rule) => matches(rule, end));
  const rule = automatic[index];
  return rule && (used[index] ?? 0) < rule.limit ? index : undefined;
}

/** All that a rule names must fit. */
function matches({ exitStatus, signal, signalReason }: RetryRule, end: AttemptEnd): boolean {
  const fitsStatus = exitStatus === "*" || exitStatus.includes(end.exitStatus);
  return fitsStatus && fits(signal, signalOf(end.exitStatus)) && fits(signalReason, end.signalReason);
}

function fits(wanted: string | undefined, seen: string): boolean {
  if (wanted === undefined) return true;
  if (wanted === "*") return seen !== "none";
  return nameOf(wanted) === nameOf(seen);
}

/** `SIGKILL`, `kill` and `9` are one. */
function nameOf(signal: string): string {
  return signals[Number(signal)] ?? signal.toLowerCase().replace(/^sig/, "");
}

/** A shell tells the signal that ended a command as 128 and its number. */
function signalOf(exitStatus: number): string {
  return signals[exitStatus - 128] ?? "none";
}

const signals: Readonly<Record<number, string>> = {
  ...{ 1: "hup", 2: "int", 3: "quit", 4: "ill", 5: "trap", 6: "abrt", 7: "bus", 8: "fpe", 9: "kill" },
  ...{ 10: "usr1", 11: "segv", 12: "usr2", 13: "pipe", 14: "alrm", 15: "term" },
};
