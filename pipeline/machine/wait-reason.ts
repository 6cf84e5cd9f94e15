/** Why a step does not run, as values; words are made last. */
import type { PlannedBlock, PlannedInput, PlannedStep } from "../plan.ts";
import type { BuildState } from "./state.ts";
import { dependenciesThat, isGate, openAttempt, plannedOf, stepOf } from "./steps.ts";

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
  /** A trigger step that is ready and whose build is about to be started. */
  | { kind: "trigger"; pipeline: string }
  | { kind: "build"; name: string; request: string }
  | { kind: "stopping"; agent?: string; name?: string };

/** Every reason why a step does not run now; none for one that runs or has finished. */
export function waitReasons(state: BuildState, key: string): WaitReason[] {
  const planned = plannedOf(state, key);
  const step = stepOf(state, key);
  const { status } = step;
  if (status.state === "waiting") return pendingReasons(state, planned);
  if (status.state === "blocked" && isGate(planned)) return [gateReason(planned)];
  if (status.state === "runnable") return [readyReason(planned)];
  const { token = "", agent, name = "" } = openAttempt(step) ?? {};
  if (status.state === "requested" && planned.kind === "trigger") return [{ kind: "build", name, request: token }];
  if (status.state === "requested" && planned.kind === "deploy")
    return [{ kind: "deployment", environment: planned.environment, request: token }];
  if (status.state !== "canceling") return [];
  return [{ kind: "stopping", ...(agent === undefined ? {} : { agent }), ...(name === "" ? {} : { name }) }];
}

function readyReason(planned: PlannedStep): WaitReason {
  if (planned.kind === "deploy") return { kind: "request", environment: planned.environment };
  return planned.kind === "trigger" ? { kind: "trigger", pipeline: planned.pipeline } : { kind: "agent" };
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
    else if (isGate(dependency) && stepOf(state, key).status.state === "blocked") gates.push(gateReason(dependency));
    else on.add(key);
  }
  const inOrder = state.plan.steps.map((step) => step.key).filter((key) => on.has(key));
  return [...gates.toReversed(), ...(inOrder.length > 0 ? [{ kind: "dependency" as const, on: inOrder }] : [])];
}

function gateReason({ key: step, label, roles }: PlannedBlock | PlannedInput): WaitReason {
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
  trigger: ({ pipeline }) => `for a build of ${pipeline} to be started`,
  build: ({ name }) => `for the build ${name}`,
  stopping: ({ agent, name }) => {
    if (name !== undefined) return `for the build ${name} to stop`;
    return agent === undefined ? "for its deployment to stop" : `for the agent ${agent} to stop it`;
  },
};
