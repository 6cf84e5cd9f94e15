/** Why a step does not run, as values; words are made last. */
import type { PlannedBlock, PlannedStep } from "../plan.ts";
import type { BuildState } from "./state.ts";
import { dependenciesThat, openAttempt, plannedOf, stepOf } from "./steps.ts";

export type WaitReason =
  | { kind: "dependency"; on: string[] }
  /** A block step that waits for a person, itself or before this one. */
  | { kind: "gate"; step: string; label: string; roles: string[] }
  /** Ready for an agent. The server refines it to `no-agent`. */
  | { kind: "agent" }
  | { kind: "no-agent"; tags: Record<string, string> }
  /** A deploy step that is ready and about to be asked for. */
  | { kind: "request"; environment: string }
  | { kind: "deployment"; environment: string; request: string }
  | { kind: "stopping"; agent?: string };

/** Every reason why a step does not run now; none for one that runs or has finished. */
export function waitReasons(state: BuildState, key: string): WaitReason[] {
  const planned = plannedOf(state, key);
  const step = stepOf(state, key);
  const { status } = step;
  if (status.state === "waiting") return pendingReasons(state, planned);
  if (status.state === "blocked" && planned.kind === "block") return [gateReason(planned)];
  if (status.state === "runnable")
    return [planned.kind === "deploy" ? { kind: "request", environment: planned.environment } : { kind: "agent" }];
  const { token = "", agent } = openAttempt(step) ?? {};
  if (status.state === "requested" && planned.kind === "deploy")
    return [{ kind: "deployment", environment: planned.environment, request: token }];
  return status.state === "canceling" ? [{ kind: "stopping", ...(agent === undefined ? {} : { agent }) }] : [];
}

/** Looks through `wait` steps, which say nothing to a reader. */
function pendingReasons(state: BuildState, planned: PlannedStep): WaitReason[] {
  const gates: WaitReason[] = [];
  const on = new Set<string>();
  const seen = new Set<string>();
  const stack = dependenciesThat(state, planned, "pending");
  for (let key = stack.pop(); key !== undefined; key = stack.pop()) {
    if (seen.has(key)) continue;
    seen.add(key);
    const dependency = plannedOf(state, key);
    if (dependency.kind === "wait") stack.push(...dependenciesThat(state, dependency, "pending"));
    else if (dependency.kind === "block" && stepOf(state, key).status.state === "blocked")
      gates.push(gateReason(dependency));
    else on.add(key);
  }
  const inOrder = state.plan.steps.map((step) => step.key).filter((key) => on.has(key));
  return [...gates.toReversed(), ...(inOrder.length > 0 ? [{ kind: "dependency" as const, on: inOrder }] : [])];
}

function gateReason({ key: step, label, roles }: PlannedBlock): WaitReason {
  return { kind: "gate", step, label, roles };
}

/** A reason as the end of a sentence that begins with "waits". */
export function renderWaitReason(reason: WaitReason): string {
  return renderers[reason.kind](reason as never);
}

type Renderers = { [K in WaitReason["kind"]]: (reason: Extract<WaitReason, { kind: K }>) => string };

const renderers: Renderers = {
  dependency: ({ on }) => `for ${on.join(", ")}`,
  gate: ({ label, roles }) => `for a person${roles.length > 0 ? ` (${roles.join(" or ")})` : ""} to open "${label}"`,
  agent: () => "for a free agent",
  "no-agent": ({ tags }) =>
    `for an agent with ${
      Object.entries(tags)
        .map(([name, value]) => `${name}=${value}`)
        .join(", ") || "no tags"
    }; none is connected`,
  request: ({ environment }) => `for its deployment to ${environment} to be made`,
  deployment: ({ environment }) => `for the deployment to ${environment}`,
  stopping: ({ agent }) => (agent === undefined ? "for its deployment to stop" : `for the agent ${agent} to stop it`),
};
