/** Event → next state. Total: it decides nothing, so that replay gives the same state whatever the rules are by then. */
import type { Plan, PlannedStep } from "../plan.ts";
import type { PlannedDependency } from "../planned-dependencies.ts";
import type { BuildEvent } from "./event.ts";
import type { Attempt, BuildState, StepState, StepStatus } from "./state.ts";
import { without } from "./replace.ts";
import { stepOf } from "./steps.ts";

type EventOf<T extends BuildEvent["type"]> = Extract<BuildEvent, { type: T }>;
type Appliers = { [T in BuildEvent["type"]]: (state: BuildState, event: EventOf<T>) => BuildState };

/** The state after an event; throws when the event names a step that the build has not. */
export function apply<T extends BuildEvent["type"]>(state: BuildState, event: EventOf<T>): BuildState {
  const applier: Appliers[T] = appliers[event.type];
  return applier(state, event);
}

/** The state from the whole history; throws when it does not begin with `build-created`. */
export function replay(events: readonly BuildEvent[]): BuildState {
  const [first, ...rest] = events;
  if (first?.type !== "build-created") throw new Error("a build's history begins with build-created");
  return rest.reduce((state, event) => apply(state, event), initialState(first.plan, first.at));
}

/** Everything waits. */
export function initialState(plan: Plan, at: string): BuildState {
  return { plan, createdAt: at, steps: waitingSteps(plan.steps), closed: false };
}

function waitingSteps(steps: readonly PlannedStep[]): Record<string, StepState> {
  return Object.fromEntries(
    steps.map(({ key }): [string, StepState] => [
      key,
      { key, status: { state: "waiting" }, attempts: [], retries: {} },
    ]),
  );
}

function stepsAdded(before: BuildState, event: EventOf<"steps-added">): BuildState {
  const state = without(before, event.removed ?? []);
  const { upload: id, by, attempt, steps: added, after, notify } = event;
  const keys = added.map(({ key }) => key);
  const steps = state.plan.steps.flatMap((step): PlannedStep[] => {
    const known = { ...step, dependsOn: [...step.dependsOn, ...moreEdges(step.key, event)] };
    return step.key === after ? [known, ...added] : [known];
  });
  return {
    ...state,
    plan: { ...state.plan, steps, ...(notify ? { notify: [...(state.plan.notify ?? []), ...notify] } : {}) },
    steps: { ...state.steps, ...waitingSteps(added) },
    uploads: [...(state.uploads ?? []), { id, by, attempt, keys }],
  };
}

/** What a step that was there before waits for from now on. */
function moreEdges(key: string, { steps, dependents, gates, gated }: EventOf<"steps-added">): PlannedDependency[] {
  const edge = dependents.find((each) => each.key === key);
  const strict = gated.includes(key) ? gates : [];
  const added = edge ? steps.filter((step) => !strict.includes(step.key)) : [];
  return [
    ...added.map((step) => ({ key: step.key, allowFailure: edge?.allowFailure ?? false })),
    ...strict.map((gate) => ({ key: gate, allowFailure: false })),
  ];
}

const appliers: Appliers = {
  "build-created": (_, { plan, at }) => initialState(plan, at),
  "build-cancel-requested": (state, { type: _type, ...cancel }) => ({ ...state, cancel }),
  "build-finished": (state) => ({ ...state, closed: true }),
  "build-reopened": (state) => ({ ...state, closed: false }),
  "steps-added": stepsAdded,
  "step-updated": (state, { step, label, priority }) => {
    const part = { ...(label === undefined ? {} : { label }), ...(priority === undefined ? {} : { priority }) };
    const steps = state.plan.steps.map((each) => (each.key === step ? { ...each, ...part } : each));
    return { ...state, plan: { ...state.plan, steps } };
  },
  "step-runnable": (state, { step, at }) => setStatus(state, step, { state: "runnable", since: at }),
  "step-blocked": (state, { step, at }) => setStatus(state, step, { state: "blocked", since: at }),
  "step-unblocked": (state, { step, by, answers, at }) =>
    change(state, step, {
      status: { state: "finished", at, outcome: "passed", by },
      ...(answers === undefined ? {} : { answers }),
    }),
  "step-canceling": (state, { step, at }) => setStatus(state, step, { state: "canceling", since: at }),
  "step-reset": (state, { step }) => setStatus(state, step, { state: "waiting" }),
  "step-leased": (state, { step, attempt: number, token, agent, at }) =>
    openAttempt(state, {
      step,
      status: { state: "leased", since: at },
      attempt: { number, token, agent, leasedAt: at, outputs: {} },
    }),
  "deploy-requested": (state, { step, attempt: number, request: token, at }) =>
    openAttempt(state, {
      step,
      status: { state: "requested", since: at },
      attempt: { number, token, leasedAt: at, outputs: {} },
    }),
  "build-requested": (state, { step, attempt: number, request: token, name, at }) =>
    openAttempt(state, {
      step,
      status: { state: "requested", since: at },
      attempt: { number, token, name, leasedAt: at, outputs: {} },
    }),
  "step-reused": (state, { step, attempt: number, token, of, at }) => {
    const attempt = {
      number,
      token,
      leasedAt: at,
      finishedAt: at,
      outcome: "passed",
      outputs: {},
      reused: of,
    } as const;
    return change(state, step, { attempts: [...stepOf(state, step).attempts, attempt] });
  },
  "step-started": (state, { step, token, at }) =>
    setStatus(changeAttempt(state, { step, token }, { startedAt: at }), step, { state: "running", since: at }),
  "attempt-ended": (state, { step, token, outcome, exitStatus, reason, outputs, at }) => {
    const exit = exitStatus === undefined ? {} : { exitStatus };
    return changeAttempt(
      state,
      { step, token },
      { finishedAt: at, outcome, outputs, ...exit, ...(reason === undefined ? {} : { reason }) },
    );
  },
  "step-retried": retried,
  "step-finished": (state, { step, outcome, exitStatus, reason, by, at }) => {
    const exit = exitStatus === undefined ? {} : { exitStatus };
    const why = { ...(reason === undefined ? {} : { reason }), ...(by === undefined ? {} : { by }) };
    return setStatus(state, step, { state: "finished", at, outcome, ...exit, ...why });
  },
};

function change(state: BuildState, step: string, part: Partial<StepState>): BuildState {
  return { ...state, steps: { ...state.steps, [step]: { ...stepOf(state, step), ...part } } };
}

function setStatus(state: BuildState, step: string, status: StepStatus): BuildState {
  return change(state, step, { status });
}

function openAttempt(
  state: BuildState,
  { step, status, attempt }: { step: string; status: StepStatus; attempt: Attempt },
): BuildState {
  return change(state, step, { status, attempts: [...stepOf(state, step).attempts, attempt] });
}

function changeAttempt(
  state: BuildState,
  { step, token }: { step: string; token: string },
  part: Partial<Attempt>,
): BuildState {
  const attempts = stepOf(state, step).attempts.map((attempt) =>
    attempt.token === token ? { ...attempt, ...part } : attempt,
  );
  return change(state, step, { attempts });
}

function retried(state: BuildState, { step, by, rule }: EventOf<"step-retried">): BuildState {
  const { retries } = stepOf(state, step);
  const counted = rule === undefined ? retries : { ...retries, [rule]: (retries[rule] ?? 0) + 1 };
  return change(state, step, {
    status: { state: "waiting" },
    retries: counted,
    ...(by === undefined ? {} : { retriedBy: by }),
  });
}
