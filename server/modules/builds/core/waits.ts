/** Why steps wait, with what only the server knows: which agents there are, and whether the disk has room. */
import type { StepView, WaitingFor } from "#api/endpoints/builds.ts";
import { isWork, plannedOf, stepOf } from "#pipeline/machine/steps.ts";
import type { BuildState } from "#pipeline/machine/state.ts";
import { renderWaitReason, waitReasons } from "#pipeline/machine/wait-reason.ts";
import type { BuildRow } from "./rows.ts";
import { concurrencyOf, type Slot, whyNoSlot } from "./slots.ts";
import { jobTags, serves } from "./tags.ts";

export interface Surroundings {
  /** Tags of each agent that was heard of lately. */
  agents: readonly Record<string, string>[];
  diskIsFull: boolean;
  /** Slots of concurrency groups that are held, and of each group the step that comes next. */
  slots: readonly PlacedSlot[];
}

export interface PlacedSlot extends Slot {
  repository: string;
  number: number;
}

/** A row of `build_slots` with its build. */
interface SlotPlace extends Omit<PlacedSlot, "group" | "limit"> {
  group_name: string;
  slot_limit: number;
}

export function viewPlace(row: SlotPlace): PlacedSlot {
  const { build, step, ordered, held, sequence, position, repository, number } = row;
  return {
    build,
    step,
    group: row.group_name,
    limit: row.slot_limit,
    ordered,
    held,
    sequence,
    position,
    repository,
    number,
  };
}

interface Subject {
  build: Pick<BuildRow, "id" | "sequence" | "ancestors">;
  state: BuildState;
}

/** Every reason why a step does not run now, as a value and as the end of a sentence that begins with "waits". */
export function waitsOf(subject: Subject, key: string, around: Surroundings): StepView["waits"] {
  const { state } = subject;
  return waitReasons(state, key).map((reason) => {
    const refined = noSlot(subject, key, around) ?? (reason.kind === "agent" ? whyNoAgent(key, state, around) : reason);
    return { reason: refined, text: textOf(refined) };
  });
}

/** Only what is ready waits for a slot. */
function noSlot({ build, state }: Subject, key: string, { slots }: Surroundings): WaitingFor | undefined {
  const planned = plannedOf(state, key);
  const concurrency = concurrencyOf(planned);
  if (!concurrency || stepOf(state, key).status.state !== "runnable") return undefined;
  const { group, limit, method } = concurrency;
  const place = { build: build.id, step: key, group, limit, ordered: method === "ordered", held: false };
  const slot = { ...place, sequence: build.sequence, position: state.plan.steps.indexOf(planned) };
  const why = whyNoSlot(slot, slots, build.ancestors);
  if (!why) return undefined;
  return why.kind === "full"
    ? { kind: "slot", group, limit, held: why.held.map(holderOf) }
    : { kind: "turn", group, before: holderOf(why.before) };
}

const holderOf = ({ build, repository, number, step }: PlacedSlot) => ({ build, repository, number, step });

function whyNoAgent(key: string, state: BuildState, { agents, diskIsFull }: Surroundings): WaitingFor {
  if (diskIsFull) return { kind: "disk-full" };
  const step = plannedOf(state, key);
  const tags = jobTags(isWork(step) ? step.agents : {});
  return agents.some((agent) => serves(agent, tags)) ? { kind: "agent" } : { kind: "no-agent", tags };
}

function textOf(reason: WaitingFor): string {
  if (reason.kind === "disk-full") return "for space: the server's disk has less free than the floor";
  if (reason.kind === "slot") {
    const { group, limit, held } = reason;
    return `for a slot of the concurrency group ${group} (${limit} at a time), held by ${held.map(nameOf).join(" and ")}`;
  }
  if (reason.kind === "turn")
    return `for its turn in the concurrency group ${reason.group}, after ${nameOf(reason.before)}`;
  return renderWaitReason(reason);
}

const nameOf = ({ repository, number, step }: { repository: string; number: number; step: string }) =>
  `${repository} #${number} ${step}`;
