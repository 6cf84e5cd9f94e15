/** What a build and its steps are called, and how they look. */
import type { Output } from "../api/call.ts";
import type { Tone } from "../theme.ts";

export type Summary = Output<"listBuilds">["builds"][number];
export type Build = Output<"showBuild">;
export type Step = Build["steps"][number];
export type Attempt = Step["attempts"][number];

const buildTones: Record<Summary["state"], Tone> = {
  preparing: "busy",
  scheduled: "waiting",
  running: "busy",
  failing: "bad",
  blocked: "waiting",
  canceling: "busy",
  finished: "none",
};

const ended: Record<NonNullable<Summary["outcome"]>, Tone> = { passed: "good", failed: "bad", canceled: "none" };

export function buildSign({ state, outcome, supersededBy }: Summary): { tone: Tone; word: string } {
  if (state !== "finished") return { tone: buildTones[state], word: state === "blocked" ? "waits at a gate" : state };
  const word = outcome === "canceled" && supersededBy !== null ? `superseded by ${supersededBy}` : (outcome ?? state);
  return { tone: ended[outcome ?? "canceled"], word };
}

const stepEnds: Record<NonNullable<Step["outcome"]>, { tone: Tone; word: string }> = {
  passed: { tone: "good", word: "passed" },
  failed: { tone: "bad", word: "failed" },
  "soft-failed": { tone: "soft", word: "failed, let pass" },
  "timed-out": { tone: "bad", word: "timed out" },
  canceled: { tone: "none", word: "canceled" },
  skipped: { tone: "none", word: "skipped" },
  broken: { tone: "none", word: "not run" },
  superseded: { tone: "none", word: "superseded" },
};

const stepStates: Record<Exclude<Step["state"], "finished">, { tone: Tone; word: string }> = {
  waiting: { tone: "none", word: "not yet" },
  runnable: { tone: "waiting", word: "waits" },
  leased: { tone: "busy", word: "starting" },
  running: { tone: "busy", word: "running" },
  requested: { tone: "busy", word: "under way" },
  blocked: { tone: "waiting", word: "closed" },
  canceling: { tone: "busy", word: "stopping" },
};

export function stepSign({ kind, state, outcome, attempts }: Step): { tone: Tone; word: string } {
  if (state !== "finished") return stepStates[state];
  if (outcome === "passed" && isGate(kind)) return { tone: "good", word: "opened" };
  if (outcome === "passed" && attempts.at(-1)?.reused) return { tone: "good", word: "passed before" };
  return stepEnds[outcome ?? "canceled"];
}

export const isGate = (kind: Step["kind"]): boolean => kind === "block" || kind === "input";

/** Without the short names of emoji, which are pictures only elsewhere. */
export function plainLabel(label: string): string {
  return label.replaceAll(/:[a-z0-9_+-]+:/g, "").trim() || label;
}

/** Why it does not run, or why it ended so; undefined where there is nothing to say. */
export function whyOf({ waits, reason, by, outcome, exitStatus }: Step): string | undefined {
  if (waits.length > 0) return `waits ${waits.map(({ text }) => text).join(", and ")}`;
  const who = by ? `by ${by}` : undefined;
  const status = outcome !== "passed" && exitStatus !== null ? `exit status ${exitStatus}` : undefined;
  return [reason ?? status, who].filter(Boolean).join(", ") || undefined;
}

/** When it began and ended, of its newest attempt. */
export function spanOf({ attempts }: Pick<Step, "attempts">): { from: string; to: string | null } | undefined {
  const last = attempts.at(-1);
  if (!last || last.reused) return undefined;
  return { from: last.startedAt ?? last.leasedAt, to: last.finishedAt };
}

/** Who or what began it. */
export function originOf({ source, creator, pullRequest, tag }: Summary): string {
  if (pullRequest !== null) return `pull request ${pullRequest}`;
  if (tag !== null) return `tag ${tag}`;
  return source === "api" ? `by ${creator ?? "a program"}` : source;
}

/** Whether a person may try something of it again. */
export const hasFailures = ({ steps }: Build): boolean =>
  steps.some(({ outcome }) => outcome === "failed" || outcome === "timed-out" || outcome === "canceled");
