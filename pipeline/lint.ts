/** Faults of a pipeline as a whole: what no single step shows. */
import { nearest } from "#api/nearest.ts";
import type { Fault } from "./fault.ts";
import { ancestors, buildGraph, findCycle, type Graph } from "./graph.ts";
import { limits } from "./text/limits.ts";
import type { BlockStep, DeployStep, Pipeline, Step } from "./step.ts";

/** All faults; none means that every step can be reached and no deploy can pass its gate. */
export function lintPipeline({ steps }: Pipeline): Fault[] {
  const naming = [...duplicateKeys(steps), ...unknownDependencies(steps)];
  if (naming.length > 0) return naming;
  const graph = buildGraph(steps);
  const cycle = cycleFault(steps, graph);
  return cycle ? [cycle] : steps.flatMap((step) => (step.kind === "deploy" ? deployFaults(step, steps, graph) : []));
}

function duplicateKeys(steps: readonly Step[]): Fault[] {
  const first = new Map<string, Step>();
  return steps.flatMap((step) => {
    const other = first.get(step.key);
    if (!other) first.set(step.key, step);
    if (!other) return [];
    const message = `the key \`${step.key}\` is taken by the step on line ${other.place.line}`;
    return [{ code: "pipeline.duplicate-key" as const, message, place: step.place, fix: "choose another key" }];
  });
}

function unknownDependencies(steps: readonly Step[]): Fault[] {
  const keys = steps.map((step) => step.key);
  const known = new Set(keys);
  const edges = steps.flatMap((from) => (from.dependsOn ?? []).map(({ step: missing }) => ({ from, missing })));
  const unknown = edges.filter(({ missing }) => !known.has(missing)).slice(0, limits.faults);
  return unknown.map(({ from, missing }) => {
    const near = nearest(missing, keys);
    const fix = near ? `did you mean \`${near}\`?` : `give a step \`key: ${missing}\``;
    const message = `\`depends_on\` names \`${missing}\`, and no step has that key`;
    return { code: "pipeline.unknown-dependency", message, place: from.place, fix };
  });
}

function cycleFault(steps: readonly Step[], graph: Graph): Fault | undefined {
  const cycle = findCycle(graph);
  const step = steps.find(({ key }) => key === cycle?.[0]);
  if (!cycle || !step) return undefined;
  return {
    code: "pipeline.cycle",
    message: `these steps wait for each other: ${[...cycle, step.key].join(" → ")}`,
    place: step.place,
    fix: "remove one `depends_on`",
  };
}

function deployFaults(deploy: DeployStep, steps: readonly Step[], graph: Graph): Fault[] {
  const before = ancestors(graph, deploy.key);
  const missed = gatesBefore(deploy, steps).filter((gate) => !before.has(gate.key));
  const faults = missed.map((gate): Fault => {
    const message = `this deployment to \`${deploy.environment}\` does not wait for \`${gate.label}\` on line ${gate.place.line}: with \`depends_on\` the order of the file no longer counts`;
    return {
      code: "pipeline.deploy-past-gate",
      message,
      place: deploy.place,
      fix: `add \`${gate.key}\` to \`depends_on\`, or remove \`depends_on\``,
    };
  });
  const unknown = steps.filter((step) => step.kind === "unknown" && before.has(step.key));
  faults.push(...unknown.map((step) => pastUnknown(deploy, step)));
  if (steps.some((step) => step.kind === "publish" && before.has(step.key))) return faults;
  const message = `this deployment to \`${deploy.environment}\` waits for no \`publish\` step, so there is nothing to deploy`;
  return [
    ...faults,
    {
      code: "pipeline.deploy-without-publish",
      message,
      place: deploy.place,
      fix: "put `publish: .` and `wait` before it",
    },
  ];
}

/** A misspelt test step is skipped everywhere; without this the deployment behind it would go on untested. */
function pastUnknown(deploy: DeployStep, { label, place: { line } }: Step): Fault {
  const message = `this deployment to \`${deploy.environment}\` waits for \`${label}\` on line ${line}, which never runs`;
  const fix = "correct or remove that step";
  return { code: "pipeline.deploy-past-unknown", message, place: deploy.place, fix };
}

/**
 * The gates above a deploy step that it has to wait for: all that stand in the line of the file, and the nearest one whatever
 * it waits for itself. A gate with its own `depends_on` further up belongs to another branch of the graph, and so does one in
 * another group than the deployment's.
 */
function gatesBefore(deploy: DeployStep, steps: readonly Step[]): BlockStep[] {
  const gates = steps.slice(0, steps.indexOf(deploy)).filter((step) => step.kind === "block");
  const isBeside = ({ group }: Step) => Boolean(deploy.group && group && group.key !== deploy.group.key);
  const ownGates = gates.filter(({ group }) => deploy.group && group?.key === deploy.group.key);
  const nearestGate = ownGates.at(-1) ?? gates.at(-1);
  return gates.filter((gate) => gate === nearestGate || !(dependsExplicitly(gate) || isBeside(gate)));
}

function dependsExplicitly({ dependsOn, group }: Step): boolean {
  return (dependsOn ?? group?.dependsOn) !== undefined;
}
