import type { AgentContext } from "#agent/agent-context.ts";
import { runJob } from "#agent/run-job.ts";
import { newSecret } from "#kernel/clock.ts";
import { intents } from "#pipeline/machine/intents.ts";
import { buildStatus } from "#pipeline/machine/status.ts";
import { isGate, isWork, openAttempt, plannedOf, stepOf } from "#pipeline/machine/steps.ts";
import type { PlannedBlock, PlannedInput, PlannedWork } from "#pipeline/plan.ts";
import { assign } from "./assign.ts";
import type { LocalBuild } from "./job-server.ts";

export type Gate = PlannedBlock | PlannedInput;

interface Running {
  agent: AgentContext;
  local: LocalBuild;
  /** Answers a gate, or says that it stays closed. */
  open(gate: Gate): Promise<"opened" | "closed">;
}

/** Runs the build to its end, or until it stands at a gate that stays closed; nothing of it runs then. */
export async function runBuild({ agent, local, open }: Running): Promise<"finished" | "held"> {
  const { build } = local;
  const running = new Map<string, Promise<void>>();
  for (;;) {
    for (const step of nextJobs(agent, local, running.size)) begin(step);
    const { state } = buildStatus(build.state());
    if (state === "finished") break;
    if (state === "blocked" && running.size === 0) {
      const [gate] = gatesOf(local);
      if (!gate || (await open(gate)) === "closed") return "held";
      continue;
    }
    await Promise.race([build.changed(), ...running.values()]);
  }
  await Promise.all(running.values());
  return "finished";

  function begin(step: PlannedWork): void {
    const job = runOne(agent, local, step).finally(() => running.delete(step.key));
    running.set(step.key, job);
  }
}

function gatesOf({ build }: LocalBuild): Gate[] {
  const state = build.state();
  return state.plan.steps.filter(isGate).filter(({ key }) => stepOf(state, key).status.state === "blocked");
}

/** What may begin now: as many as there is room for, and as their concurrency groups allow; the most urgent first. */
function nextJobs({ capacity, abandon }: AgentContext, { build }: LocalBuild, running: number): PlannedWork[] {
  if (abandon.aborted) return [];
  const state = build.state();
  const offered = intents(state).flatMap((intent) => {
    const planned = intent.type === "offer" ? plannedOf(state, intent.step) : undefined;
    return planned && isWork(planned) ? [planned] : [];
  });
  const atWork = state.plan.steps.filter(({ key }) => openAttempt(stepOf(state, key))).filter(isWork);
  const chosen: PlannedWork[] = [];
  for (const step of offered.toSorted((one, other) => (other.priority ?? 0) - (one.priority ?? 0))) {
    const { group, limit = Infinity } = step.concurrency ?? {};
    const inGroup = [...atWork, ...chosen].filter(({ concurrency }) => group && concurrency?.group === group);
    if (running + chosen.length < capacity && inGroup.length < limit) chosen.push(step);
  }
  return chosen;
}

/** One attempt, from its lease to its end. */
async function runOne(agent: AgentContext, local: LocalBuild, step: PlannedWork): Promise<void> {
  const { build } = local;
  const { key } = step;
  const token = newSecret();
  build.act({ type: "lease", step: key, token, agent: agent.name });
  const attempt = stepOf(build.state(), key).attempts.length;
  try {
    await runJob(agent, assign(local, { step, attempt, token, agent: agent.name }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    build.act({ type: "finish", step: key, token, outcome: "failed", reason });
  }
  // One that the person stopped says nothing of its end.
  build.act({ type: "lease-expired", step: key, token, stopped: true, reason: "the run was stopped" });
}
