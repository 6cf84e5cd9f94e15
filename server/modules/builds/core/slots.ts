/** Who may have a slot of a concurrency group, and what to say to who may not. `slot-store.ts` has the same rule in SQL. */
import type { PlannedStep } from "#pipeline/plan.ts";
import type { StepStatus } from "#pipeline/machine/state.ts";
import type { Concurrency } from "#pipeline/step.ts";

/** A step of a group that is ready or holds a slot. */
export interface Slot {
  build: string;
  step: string;
  group: string;
  limit: number;
  ordered: boolean;
  held: boolean;
  /** Order of creation: of the build, and in it. */
  sequence: number;
  position: number;
}

export type SlotRefusal<S extends Slot> = { kind: "full"; held: S[] } | { kind: "turn"; before: S };

/**
 * Undefined when the step may have its slot now. A slot that a trigger step holds serves the builds that it started too:
 * they would wait for it, and it for them.
 */
export function whyNoSlot<S extends Slot>(
  slot: Slot,
  all: readonly S[],
  ancestors: readonly string[] = [],
): SlotRefusal<S> | undefined {
  const others = all.filter((each) => each.group === slot.group && !isSame(each, slot));
  const held = others.filter((each) => each.held && !ancestors.includes(each.build));
  if (held.length >= slot.limit) return { kind: "full", held };
  const inherits = others.some((each) => each.held && ancestors.includes(each.build));
  if (!slot.ordered || inherits) return undefined;
  const [before] = others.filter((each) => !each.held && isBefore(each, slot)).toSorted(byOrder);
  return before && { kind: "turn", before };
}

const isSame = (a: Slot, b: Slot) => a.build === b.build && a.step === b.step;
const byOrder = (a: Slot, b: Slot) => a.sequence - b.sequence || a.position - b.position;
const isBefore = (a: Slot, b: Slot) => byOrder(a, b) < 0;

export function concurrencyOf(step: PlannedStep): Concurrency | undefined {
  return "concurrency" in step ? step.concurrency : undefined;
}

/** A slot is kept until whatever runs under it has confirmed its end, also while it is being canceled. */
export function slotStanding({ state }: StepStatus): "waiting" | "held" | undefined {
  if (state === "runnable") return "waiting";
  return state === "leased" || state === "running" || state === "requested" || state === "canceling"
    ? "held"
    : undefined;
}
