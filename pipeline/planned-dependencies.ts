/** What each step of a build waits for, once it is known which steps the build has. */
import { ancestors, type Graph } from "./graph.ts";
import type { Dependency, Step } from "./step.ts";

export interface PlannedDependency {
  key: string;
  allowFailure: boolean;
}

export interface Skipping {
  steps: readonly Pick<Step, "key" | "kind">[];
  graph: Graph;
  /** Whether this build leaves the step out. */
  isSkipped: (key: string) => boolean;
}

/** The dependencies of a step among those that this build has, in the order of the file. */
export function plannedDependencies(key: string, skipping: Skipping): PlannedDependency[] {
  const found = throughSkipped(key, skipping);
  for (const gate of gatesBehindTolerance(found, skipping)) found.set(gate, false);
  return skipping.steps.flatMap((step) => {
    const allowFailure = found.get(step.key);
    return allowFailure === undefined ? [] : [{ key: step.key, allowFailure }];
  });
}

/**
 * A skipped step hands on what it waits for. Were it only counted as done, the steps behind a skipped `wait` would no longer
 * wait for the gate before it. Of two ways to the same step the stricter one counts.
 */
function throughSkipped(key: string, { graph, isSkipped }: Skipping): Map<string, boolean> {
  const found = new Map<string, boolean>();
  const seen = new Set<string>();
  const stack: Dependency[] = [...(graph.get(key) ?? [])];
  for (let edge = stack.pop(); edge; edge = stack.pop()) {
    const { step, allowFailure } = edge;
    const mark = `${step} ${allowFailure}`;
    if (seen.has(mark)) continue;
    seen.add(mark);
    if (!isSkipped(step)) found.set(step, allowFailure && (found.get(step) ?? true));
    else
      for (const next of graph.get(step) ?? [])
        stack.push({ step: next.step, allowFailure: next.allowFailure || allowFailure });
  }
  return found;
}

/**
 * The last gates at or before the steps whose failure does not matter. Allowing a failure must not open a gate: one that
 * nobody could open, because something before it failed, is no failure of the gate. (A step that passed had its own gates.)
 */
function gatesBehindTolerance(found: ReadonlyMap<string, boolean>, { steps, graph, isSkipped }: Skipping): string[] {
  const tolerated = [...found].filter(([, allowFailure]) => allowFailure).map(([key]) => key);
  const reached = new Set(tolerated.flatMap((key) => [key, ...ancestors(graph, key)]));
  const gates = steps
    .filter(({ kind, key }) => kind === "block" && reached.has(key) && !isSkipped(key))
    .map(({ key }) => key);
  const behind = new Set(gates.flatMap((gate) => [...ancestors(graph, gate)]));
  return gates.filter((gate) => !behind.has(gate));
}
