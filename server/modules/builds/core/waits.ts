/** Why steps wait, with what only the server knows: which agents there are, and whether the disk has room. */
import type { StepView, WaitingFor } from "#api/endpoints/builds.ts";
import { isWork, plannedOf } from "#pipeline/machine/steps.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import { renderWaitReason, type WaitReason, waitReasons } from "#pipeline/machine/wait-reason.ts";
import { jobTags, serves } from "./tags.ts";

export interface Surroundings {
  /** Tags of each agent that was heard of lately. */
  agents: readonly Record<string, string>[];
  diskIsFull: boolean;
}

/** Every reason why a step does not run now, as a value and as the end of a sentence that begins with "waits". */
export function waitsOf(state: BuildState, key: string, around: Surroundings): StepView["waits"] {
  return waitReasons(state, key).map((reason) => {
    const refined = reason.kind === "agent" ? whyNoAgent(key, state, around) : reason;
    return { reason: refined, text: textOf(refined) };
  });
}

function whyNoAgent(key: string, state: BuildState, { agents, diskIsFull }: Surroundings): WaitingFor {
  if (diskIsFull) return { kind: "disk-full" };
  const step = plannedOf(state, key);
  const tags = jobTags(isWork(step) ? step.agents : {});
  return agents.some((agent) => serves(agent, tags)) ? { kind: "agent" } : { kind: "no-agent", tags };
}

function textOf(reason: WaitReason | { kind: "disk-full" }): string {
  return reason.kind === "disk-full"
    ? "for space: the server's disk has less free than the floor"
    : renderWaitReason(reason);
}
