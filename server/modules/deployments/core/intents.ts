/** What has to be done outside in a phase: always the whole of it, so that doing it again after a crash is right. */
import { changeBetween, type Layout } from "./layout.ts";
import { layoutNow, layoutsAt, type Rollout, type Target } from "./rollout.ts";

/** Whose instances: the deployment's own, or those of the one that served before. */
export type Owner = "this" | "previous";

export type Intent =
  /** Find out what is to run and what serves now. */
  | { type: "plan" }
  /** Network, backing services and route are there. */
  | { type: "prepare" }
  | { type: "pull" }
  | { type: "migrate" }
  /** They run and have slots; those that have none yet get one without traffic. */
  | { type: "start"; instances: string[] }
  /** Wait until they are healthy. */
  | { type: "probe"; instances: string[] }
  /** The traffic goes where the weights say, and nowhere else. `measure`: take the counts first. */
  | { type: "shift"; weights: Record<string, number>; measure: boolean }
  /** See how those with traffic do, and how many sessions the draining ones have left. `keep`: old ones that run on. */
  | { type: "look"; instances: string[]; draining: string[]; keep: string[]; timed: boolean }
  /** Out of their slots, then stopped; they can be started again. */
  | { type: "end"; instances: string[] }
  /** What serves is what was asked for, seen from the engine and from the balancer. */
  | { type: "verify"; instances: string[] }
  /** These run again, have slots and are healthy. */
  | { type: "restore"; instances: string[] }
  /** Wait until these have no session left. */
  | { type: "drain"; instances: string[] }
  /** These run and have all the traffic, healthy or not; `end` goes first where both may not run at the same time. */
  | { type: "keep"; instances: string[]; end: string[] }
  /** Take these out of their slots, and only then end and remove all that their deployment started. */
  | { type: "remove"; instances: string[]; of: Owner };

export function intentOf(state: Rollout): Intent | undefined {
  const { phase, target } = state;
  if (phase === "done") return undefined;
  if (phase === "plan" || !target) return { type: "plan" };
  const { instances, old } = target;
  const { from, to } = layoutsAt(state);
  const change = changeBetween(from, to);
  switch (phase) {
    case "prepare":
    case "pull":
    case "migrate":
      return { type: phase };
    case "start":
    case "probe":
      return { type: phase, instances: change.start };
    case "swap":
      return { type: "shift", weights: to.weights, measure: true };
    case "return":
      return { type: "shift", weights: to.weights, measure: false };
    case "drain":
      return look(target, to, { draining: change.leave });
    case "observe":
    case "hold":
      return look(target, layoutNow(state), { timed: true });
    case "watch":
      return look(target, layoutNow(state), { draining: old });
    case "end":
    case "recede":
      return { type: "end", instances: change.end };
    case "verify":
      return { type: "verify", instances };
    case "stop":
      return { type: "remove", instances: old, of: "previous" };
    case "restore":
      return { type: "restore", instances: old.filter((name) => to.running.includes(name)) };
    case "withdraw":
      return { type: "drain", instances: change.leave };
    case "keep":
      return { type: "keep", instances, end: target.exclusive ? old : [] };
    // remove
    default:
      return { type: "remove", instances, of: "this" };
  }
}

function look(
  { instances, old }: Target,
  { weights, running }: Layout,
  { draining = [], timed = false }: { draining?: string[]; timed?: boolean },
): Intent {
  return {
    ...{ type: "look", draining, timed },
    instances: instances.filter((name) => name in weights),
    keep: timed ? old.filter((name) => running.includes(name)) : [],
  };
}
