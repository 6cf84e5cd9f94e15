/** Faults of a pipeline as a whole: what no single step shows. */
import type { Place } from "#api/errors.ts";
import { nearest } from "#api/nearest.ts";
import { parseCondition } from "./expression/condition.ts";
import type { Fault } from "./fault.ts";
import { ancestors, buildGraph, findCycle, type Graph, jobsByName, type Names } from "./graph.ts";
import { limits } from "./text/limits.ts";
import type { BlockStep, DeployStep, Pipeline, Step, TriggerStep } from "./step.ts";

interface Surroundings {
  /** The pipeline's own name. */
  slug?: string | undefined;
  /** Jobs that the build has beside these. */
  outside?: Names | undefined;
}

/** All faults; none means that every step can be reached and no deploy can pass its gate. */
export function lintPipeline(pipeline: Pipeline, { slug, outside = new Map() }: Surroundings = {}): Fault[] {
  const { steps } = pipeline;
  const large = sizeFault(pipeline) ?? conditionsFault(steps);
  if (large) return [large];
  const names = new Map([...outside, ...jobsByName(steps)]);
  const naming = [...duplicateKeys(steps), ...unknownDependencies(steps, names)];
  if (naming.length > 0) return naming;
  const graph = buildGraph(steps, outside);
  const cycle = cycleFault(steps, graph);
  if (cycle) return [cycle];
  return steps.flatMap((step) => {
    if (step.kind === "deploy") return deployFaults(step, steps, graph);
    return step.kind === "trigger" ? triggerFaults(step, slug) : [];
  });
}

/** Stops adding up at the limit: a large text that hundreds of jobs share must not be spelt out for each. */
function sizeFault({ env, steps }: Pipeline): Fault | undefined {
  const shared = JSON.stringify(env).length;
  let size = 0;
  for (const step of steps) {
    size += shared + JSON.stringify(step).length;
    if (size > limits.jobs)
      return {
        code: "pipeline.limit",
        message: `the jobs together have more than ${limits.jobs} characters, their variables included`,
        place: step.place,
        fix: "put long commands into a script of the repository",
      };
  }
  return undefined;
}

/** Instructions of all regular expressions: a plan that evaluates them may take a second, and not minutes. */
const maximumConditions = 10_000;

function conditionsFault(steps: readonly Step[]): Fault | undefined {
  const seen = new Set<string>();
  let size = 0;
  for (const { if: own, group, place } of steps)
    for (const text of [own, group?.if]) {
      if (text === undefined || seen.has(text)) continue;
      seen.add(text);
      const parsed = parseCondition(text);
      size += "size" in parsed ? parsed.size : 0;
      if (size > maximumConditions)
        return {
          code: "pipeline.limit",
          message: `the regular expressions of all conditions have more than ${maximumConditions} parts`,
          place,
          fix: "write shorter ones",
        };
    }
  return undefined;
}

interface Named {
  key: string;
  place: Place;
}

/** Jobs of one step share its key; two steps, or a step and a group, may not. */
function duplicateKeys(steps: readonly Step[]): Fault[] {
  const groups = new Set(steps.flatMap(({ group }) => group ?? []));
  const written = new Map<string, Named[]>();
  for (const { step: key, key: job, place } of steps) {
    const others = written.get(key) ?? [];
    const isJobOfSame = others.some((other) => isSamePlace(other.place, place) && other.key !== job);
    if (!isJobOfSame) written.set(key, [...others, { key: job, place }]);
  }
  for (const group of groups) written.set(group.key, [...(written.get(group.key) ?? []), group]);
  return [...written].flatMap(([key, [first, ...others]]) =>
    others.map(({ place }): Fault => {
      const message = `the key \`${key}\` is taken by the step on line ${first?.place.line ?? place.line}`;
      return { code: "pipeline.duplicate-key", message, place, fix: "choose another key" };
    }),
  );
}

function isSamePlace(one: Place, other: Place): boolean {
  return one.line === other.line && one.column === other.column;
}

function unknownDependencies(steps: readonly Step[], names: ReadonlyMap<string, unknown>): Fault[] {
  const known = [...names.keys()];
  const sources = new Set(steps.flatMap((step) => [step, ...(step.group ? [step.group] : [])]));
  const edges = [...sources].flatMap((from) => (from.dependsOn ?? []).map(({ step: missing }) => ({ from, missing })));
  const unknown = new Map<string, Fault>();
  for (const { from, missing } of edges) {
    const id = `${missing} ${from.place.line} ${from.place.column}`;
    if (names.has(missing) || unknown.has(id) || unknown.size >= limits.faults) continue;
    const near = nearest(missing, known);
    const fix = near ? `did you mean \`${near}\`?` : `give a step \`key: ${missing}\``;
    const message = `\`depends_on\` names \`${missing}\`, and no step has that key`;
    unknown.set(id, { code: "pipeline.unknown-dependency", message, place: from.place, fix });
  }
  return [...unknown.values()];
}

/** With a condition it may be meant; without one no build of it would ever be the last. */
function triggerFaults(step: TriggerStep, slug: string | undefined): Fault[] {
  const isBound = step.if !== undefined || step.branches !== undefined || step.group?.if !== undefined;
  if (step.pipeline !== slug || isBound) return [];
  const message = `every build of \`${slug}\` would start another one of itself`;
  return [
    { code: "pipeline.trigger-loop", message, place: step.place, fix: "add `if:` that ends it, or trigger another" },
  ];
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
