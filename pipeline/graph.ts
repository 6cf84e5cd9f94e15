/** Which step waits for which: Buildkite's rules of `wait`, `block` and `depends_on`. */
import type { Dependency, Step } from "./step.ts";

/** Complete dependencies by key of step, as if no condition were there. */
export type Graph = ReadonlyMap<string, readonly Dependency[]>;

interface Line {
  /** What a step without `depends_on` waits for. */
  barrier: string[];
  /** Steps that the next barrier has to wait for. */
  open: string[];
}

/**
 * A step with `depends_on` waits for those only. One without waits for the last barrier before it. Barriers are `wait` and
 * `block`, as with Buildkite, and `deploy`, because nobody means to deploy beside the steps above: they wait for all before
 * them. A `wait` or `block` with `depends_on` is added to what the steps after it wait for; a `deploy` with it is no barrier.
 */
export function buildGraph(steps: readonly Step[]): Graph {
  const graph = new Map<string, readonly Dependency[]>();
  const line: Line = { barrier: [], open: [] };
  for (const step of steps) {
    graph.set(step.key, dependenciesOf(step, line));
    advance(line, step);
  }
  return graph;
}

function dependenciesOf(step: Step, line: Line): Dependency[] {
  const implicit = barriers.has(step.kind) ? [...line.barrier, ...line.open] : line.barrier;
  const toleratesAll = step.allowDependencyFailure || (step.kind === "wait" && step.continueOnFailure);
  const dependencies = step.dependsOn ?? implicit.map((key) => ({ step: key, allowFailure: false }));
  return dependencies.map((edge) => ({ step: edge.step, allowFailure: edge.allowFailure || toleratesAll }));
}

const barriers: ReadonlySet<Step["kind"]> = new Set(["wait", "block", "deploy"]);

function advance(line: Line, step: Step): void {
  const isAside = step.kind === "deploy" && step.dependsOn !== undefined;
  if (!barriers.has(step.kind) || isAside) line.open.push(step.key);
  else if (step.dependsOn) line.barrier = [...line.barrier, step.key];
  else {
    line.barrier = [step.key];
    line.open = [];
  }
}

/** All that a step waits for, directly or not. */
export function ancestors(graph: Graph, key: string): Set<string> {
  const found = new Set<string>();
  const stack = [key];
  for (let next = stack.pop(); next !== undefined; next = stack.pop())
    for (const { step } of graph.get(next) ?? []) {
      if (found.has(step)) continue;
      found.add(step);
      stack.push(step);
    }
  return found;
}

/** The keys of one circle, or nothing. */
export function findCycle(graph: Graph): string[] | undefined {
  const settled = new Set<string>();
  for (const start of graph.keys()) {
    const cycle = walk(graph, start, settled);
    if (cycle) return cycle;
  }
  return undefined;
}

/** Depth first without recursion, as a chain may have as many links as a file has steps. */
function walk(graph: Graph, start: string, settled: Set<string>): string[] | undefined {
  const path: { key: string; next: number }[] = settled.has(start) ? [] : [{ key: start, next: 0 }];
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const target = graph.get(top.key)?.[top.next++]?.step;
    if (target === undefined) {
      settled.add(top.key);
      path.pop();
      continue;
    }
    const from = path.findIndex(({ key }) => key === target);
    if (from >= 0) return path.slice(from).map(({ key }) => key);
    if (!settled.has(target)) path.push({ key: target, next: 0 });
  }
  return undefined;
}
