/** What has to be done outside in a phase: always the whole of it, so that doing it again after a crash is right. */
import type { Rollout } from "./rollout.ts";

export type Intent =
  /** Find out what is to run and what serves now. */
  | { type: "plan" }
  /** Network, backing services and route are there. */
  | { type: "prepare" }
  | { type: "pull" }
  | { type: "migrate" }
  /** They run and have slots without traffic. */
  | { type: "start"; instances: string[] }
  /** Wait until they are healthy. */
  | { type: "probe"; instances: string[] }
  /** All traffic to these. `measure`: take the counts first, of both. */
  | { type: "shift"; to: string[]; measure?: string[] }
  /** See how these do, and how many sessions the old ones have left. */
  | { type: "look"; instances: string[]; draining: string[] }
  /** These run again, have slots and are healthy. */
  | { type: "restore"; instances: string[] }
  /** Wait until these have no session left. */
  | { type: "drain"; instances: string[] }
  /** Take these out of their slots, and only then end and remove all that their deployment started. */
  | { type: "remove"; instances: string[]; of: "this" | "previous" };

export function intentOf({ phase, target }: Rollout): Intent | undefined {
  if (phase === "done") return undefined;
  if (phase === "plan" || !target) return { type: "plan" };
  const { instances, old } = target;
  switch (phase) {
    case "prepare":
    case "pull":
    case "migrate":
      return { type: phase };
    case "start":
    case "probe":
      return { type: phase, instances };
    case "swap":
      return { type: "shift", to: instances, measure: old };
    case "keep":
      return { type: "shift", to: instances };
    case "return":
      return { type: "shift", to: old };
    case "drain":
    case "watch":
      return { type: "look", instances, draining: old };
    case "stop":
      return { type: "remove", instances: old, of: "previous" };
    case "restore":
      return { type: "restore", instances: old };
    case "withdraw":
      return { type: "drain", instances };
    // remove
    default:
      return { type: "remove", instances, of: "this" };
  }
}
