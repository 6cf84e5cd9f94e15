import type { PlannedStep } from "../plan.ts";
import { actorOf } from "./actor.ts";
import type { Intent } from "./intent.ts";
import type { BuildState } from "./state.ts";
import { isWork, openAttempt, stepOf } from "./steps.ts";

/** All that has to be done now, in the order of the plan. The same state gives the same intents with the same ids. */
export function intents(state: BuildState): Intent[] {
  return state.plan.steps.flatMap((planned) => intentOf(state, planned) ?? []);
}

function intentOf(state: BuildState, planned: PlannedStep): Intent | undefined {
  const { key: step } = planned;
  const { status, attempts } = stepOf(state, step);
  if (status.state === "canceling") return stopIntent(state, planned);
  if (status.state !== "runnable") return undefined;
  const next = attempts.length + 1;
  if (isWork(planned)) return { type: "offer", id: `offer:${step}:${next}`, step, agents: planned.agents };
  if (planned.kind === "trigger") return { type: "request-build", id: `build:${step}:${next}`, step };
  if (planned.kind !== "deploy") return undefined;
  const actor = actorOf(state, step);
  return {
    type: "request-deploy",
    id: `deploy:${step}:${next}`,
    step,
    environment: planned.environment,
    ...(actor === undefined ? {} : { actor }),
  };
}

function stopIntent(state: BuildState, planned: PlannedStep): Intent | undefined {
  const { key: step } = planned;
  const attempt = openAttempt(stepOf(state, step));
  if (!attempt) return undefined;
  const { token, agent } = attempt;
  if (planned.kind === "trigger") return { type: "cancel-build", id: `cancel-build:${token}`, step, request: token };
  if (agent === undefined) return { type: "cancel-deploy", id: `cancel-deploy:${token}`, step, request: token };
  return { type: "stop", id: `stop:${token}`, step, token, agent };
}
