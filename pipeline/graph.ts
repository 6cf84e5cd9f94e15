/** Which step waits for which: Buildkite's rules of `wait`, `block` and `depends_on`. */
import type { Dependency, Step, StepGroup } from "./step.ts";

/** Complete dependencies by key of job, as if no condition were there. */
export type Graph = ReadonlyMap<string, readonly Dependency[]>;

interface Line {
  /** What a step without `depends_on` waits for. */
  barrier: Dependency[];
  /** Steps that the next barrier has to wait for. */
  open: string[];
}

/** Keys of the jobs that a name stands for. */
export type Names = ReadonlyMap<string, readonly string[]>;

/** The line of the file, and that of the group that is being read. */
interface Lines {
  names: Names;
  outer: Line;
  inner: { group: string; line: Line } | undefined;
}

/**
 * A step with `depends_on` waits for those only. One without waits for the last barrier before it. Barriers are `wait` and
 * `block`, as with Buildkite, and `deploy`, because nobody means to deploy beside the steps above: they wait for all before
 * them. A `wait` or `block` with `depends_on` is added to what the steps after it wait for; a `deploy` with it is no barrier.
 * The barriers of a group hold only inside it, and to the outside each of its steps is an ordinary one. `outside`: names of
 * jobs that the build has beside these.
 */
export function buildGraph(steps: readonly Step[], outside: Names = new Map()): Graph {
  const graph = new Map<string, readonly Dependency[]>();
  const lines: Lines = {
    names: new Map([...outside, ...jobsByName(steps)]),
    outer: { barrier: [], open: [] },
    inner: undefined,
  };
  for (const step of steps) {
    const line = lineOf(step, lines);
    graph.set(step.key, dependenciesOf(step, line, lines));
    advance(line, step);
    if (step.group) lines.outer.open.push(step.key);
  }
  return graph;
}

/** The jobs that a name in `depends_on` stands for: a job, all jobs of a step, or all of a group. */
export function jobsByName(steps: readonly Step[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { key, step, group } of steps)
    for (const name of new Set([key, step, ...(group ? [group.key] : [])])) {
      const jobs = names.get(name);
      if (jobs) jobs.push(key);
      else names.set(name, [key]);
    }
  return names;
}

function lineOf({ group }: Step, lines: Lines): Line {
  if (!group) return lines.outer;
  if (lines.inner?.group !== group.key) lines.inner = { group: group.key, line: openGroup(group, lines) };
  return lines.inner.line;
}

function openGroup(group: StepGroup, { names, outer }: Lines): Line {
  const before = group.dependsOn ? resolve(group.dependsOn, names) : outer.barrier;
  return { barrier: tolerate(before, group.allowDependencyFailure), open: [] };
}

function dependenciesOf(step: Step, line: Line, lines: Lines): Dependency[] {
  const toleratesAll = step.allowDependencyFailure || (step.kind === "wait" && step.continueOnFailure);
  if (!step.dependsOn) return tolerate(implicit(step, line, lines), toleratesAll);
  const own = tolerate(resolve(step.dependsOn, lines.names), toleratesAll);
  const { dependsOn = [], allowDependencyFailure = false } = step.group ?? {};
  return [...own, ...tolerate(resolve(dependsOn, lines.names), allowDependencyFailure)];
}

/** Even in a group a deployment waits for all that stands above the group, unless the group says what it waits for. */
function implicit(step: Step, line: Line, { outer }: Lines): Dependency[] {
  if (!barriers.has(step.kind)) return line.barrier;
  const isFree = step.kind === "deploy" && step.group && !step.group.dependsOn;
  const open = isFree ? [...line.open, ...outer.open] : line.open;
  return [...line.barrier, ...open.map((key) => ({ step: key, allowFailure: false }))];
}

/** Of two ways to the same job the stricter one counts. */
function resolve(edges: readonly Dependency[], names: Lines["names"]): Dependency[] {
  const byName = stricter(edges);
  const jobs = [...byName].flatMap(([name, allowFailure]) =>
    (names.get(name) ?? [name]).map((step) => ({ step, allowFailure })),
  );
  return [...stricter(jobs)].map(([step, allowFailure]) => ({ step, allowFailure }));
}

function stricter(edges: readonly Dependency[]): Map<string, boolean> {
  const found = new Map<string, boolean>();
  for (const { step, allowFailure } of edges) found.set(step, allowFailure && (found.get(step) ?? true));
  return found;
}

function tolerate(edges: readonly Dependency[], all: boolean): Dependency[] {
  return edges.map(({ step, allowFailure }) => ({ step, allowFailure: allowFailure || all }));
}

const barriers: ReadonlySet<Step["kind"]> = new Set(["wait", "block", "deploy"]);

function advance(line: Line, step: Step): void {
  const isAside = step.kind === "deploy" && step.dependsOn !== undefined;
  const passed = { step: step.key, allowFailure: false };
  if (!barriers.has(step.kind) || isAside) line.open.push(step.key);
  else if (step.dependsOn) line.barrier = [...line.barrier, passed];
  else {
    line.barrier = [passed];
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
