/** What was seen outside, and what people ask. */
import type { Phase, Target } from "./rollout.ts";
import type { Look } from "./watch.ts";

/** `phase` is the one whose intent gave this answer; `at` is an ISO time. */
export type Observation = { phase: Phase; at: string } & (
  | { type: "done" }
  /** Not yet; `detail` says what is missing. */
  | { type: "pending"; detail?: string }
  /** It never will. */
  | { type: "failed"; reason: string }
  /** `note`: what will be otherwise than was asked for. */
  | { type: "planned"; target: Target; note?: string }
  /** Counted before the traffic moved. */
  | { type: "swapped"; look: Look }
  /** `trouble`: an instance that does not run steadily, in half a sentence. */
  | { type: "looked"; look: Look; sessions: number; trouble?: string }
  | { type: "stopped"; cut: number }
);

/** What a person asks of a rollout that runs. */
export interface Wish {
  type: "cancel" | "pause" | "promote";
  by: string;
  at: string;
}
