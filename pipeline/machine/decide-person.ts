/** Commands that people give: open a gate, cancel, try again. */
import { type Refusal, isRefusal, refuse } from "#api/errors.ts";
import { checkAnswers } from "./answers.ts";
import type { Command } from "./command.ts";
import type { BuildEvent } from "./event.ts";
import type { PlannedStep } from "../plan.ts";
import type { Retry } from "../step.ts";
import type { BuildState, StepOutcome, StepState } from "./state.ts";
import { dependenciesThat, findStep, isGate, isWork, outcomeOf, plannedOf } from "./steps.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;
type Decided = BuildEvent[] | Refusal;

export function decideUnblock(
  state: BuildState,
  { step, user, role, answers = {}, at }: CommandOf<"unblock">,
): Decided {
  const found = findStep(state, step);
  const planned = found ? plannedOf(state, step) : undefined;
  if (!found || !planned || !isGate(planned)) return refuse("not-found", `the build has no gate \`${step}\``);
  const { status } = found;
  if (status.state === "waiting")
    return refuse(
      "build.wrong-state",
      `the gate \`${planned.label}\` still waits for ${dependenciesThat(state, planned, "pending").join(", ")}`,
    );
  if (status.state !== "blocked")
    return refuse("build.wrong-state", `the gate \`${planned.label}\` is ${describe(found)}`);
  const isAllowed = planned.roles.length === 0 || planned.roles.includes(role) || role === "admin";
  if (!isAllowed)
    return refuse(
      "auth.forbidden",
      `the gate \`${planned.label}\` is opened by ${planned.roles.join(", ")}, and you are ${role}`,
    );
  const checked = checkAnswers(planned.fields, answers);
  if (isRefusal(checked)) return checked;
  return [
    { type: "step-unblocked", step, by: user, role, ...(planned.fields.length > 0 ? { answers: checked } : {}), at },
  ];
}

function describe({ status }: StepState): string {
  if (status.state !== "finished") return status.state;
  return status.by === undefined ? status.outcome : `open already, by ${status.by}`;
}

export function decideCancel(state: BuildState, { type: _type, ...word }: CommandOf<"cancel">): Decided {
  if (state.closed) return refuse("build.wrong-state", "the build has finished");
  return state.cancel ? [] : [{ type: "build-cancel-requested", ...word }];
}

export function decideRetry(state: BuildState, { step, by, at }: CommandOf<"retry">): Decided {
  const found = findStep(state, step);
  if (!found) return refuse("not-found", `the build has no step \`${step}\``);
  const refusal = whyNotRetry(state, found);
  return refusal ?? reopened(state, { by, at }, [retryOf(found, { by, at })]);
}

export function decideRetryFailed(state: BuildState, { by, at }: CommandOf<"retry-failed">): Decided {
  const failed = Object.values(state.steps).filter(
    (step) => isOwnWork(plannedOf(state, step.key)) && isRed(step) && !whyNotRetry(state, step),
  );
  if (failed.length > 0)
    return reopened(
      state,
      { by, at },
      failed.map((step) => retryOf(step, { by, at })),
    );
  return refuse("build.wrong-state", "no job of this build can be tried again", {
    fix: "retry a deploy step by its name, or start a new build",
  });
}

/** Jobs, and builds of services of the same repository. */
const isOwnWork = (planned: PlannedStep): boolean =>
  isWork(planned) || (planned.kind === "trigger" && planned.service !== undefined);

interface Who {
  by: string;
  at: string;
}

function retryOf({ key: step }: StepState, { by, at }: Who): BuildEvent {
  return { type: "step-retried", step, reason: `tried again by ${by}`, by, at };
}

function reopened({ closed }: BuildState, { by, at }: Who, events: BuildEvent[]): BuildEvent[] {
  return closed ? [{ type: "build-reopened", by, at }, ...events] : events;
}

const red: ReadonlySet<StepOutcome | undefined> = new Set(["failed", "timed-out", "canceled"]);
const isRed = (step: StepState): boolean => red.has(outcomeOf(step));

/** A trigger may always be tried again; it starts another build. */
const manualRule = (planned: PlannedStep): Retry["manual"] | undefined => {
  if (planned.kind === "trigger") return { allowed: true, permitOnPassed: false };
  return "retry" in planned ? planned.retry.manual : undefined;
};

/** What made an image or changed an environment stands: another image would have the same release, another deployment its own. */
function mayRepeat({ kind }: PlannedStep, { permitOnPassed }: Retry["manual"]): boolean {
  return permitOnPassed && (kind === "command" || kind === "test");
}

/** Nothing, when the step may be tried again. */
function whyNotRetry(state: BuildState, step: StepState): Refusal | undefined {
  const planned = plannedOf(state, step.key);
  if (state.cancel)
    return refuse("build.wrong-state", "the build was canceled", { fix: "start a new build of the commit" });
  const rule = manualRule(planned);
  if (!rule) return refuse("build.wrong-state", `\`${step.key}\` is no job`);
  const outcome = outcomeOf(step);
  if (outcome === undefined) return refuse("build.wrong-state", `\`${step.key}\` has not finished`);
  if (outcome === "broken")
    return refuse(
      "build.wrong-state",
      `\`${step.key}\` did not run, because ${dependenciesThat(state, planned, "failed").join(", ")} did not pass`,
      { fix: "retry that" },
    );
  const isOpen = isRed(step) || outcome === "soft-failed" || (outcome === "passed" && mayRepeat(planned, rule));
  if (!isOpen) return refuse("build.wrong-state", `\`${step.key}\` is ${outcome}`);
  const { allowed, reason } = rule;
  return allowed
    ? undefined
    : refuse("build.wrong-state", `\`${step.key}\` may not be tried again${reason ? `: ${reason}` : ""}`);
}
