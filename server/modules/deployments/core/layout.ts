/** Who runs and who gets how much traffic, at one point of a rollout. A rollout is a way from layout to layout, and back on the same way. */
import type { Strategy } from "#stack/stack.ts";

export interface Layout {
  /** Instances that run; those without a weight get no traffic. */
  running: string[];
  /** Share of the new requests that each gets in proportion to the others, 1 to 256. */
  weights: Record<string, number>;
  /** What is waited for here before the way goes on. */
  stay?: Stay;
}

/** `ramp`: one moment of a warm-up, which is passed over on the way back. `judge`: compared with the release before. */
export interface Stay {
  ms: number;
  hold: boolean;
  kind: "judge" | "ramp";
}

export interface Sides {
  old: readonly string[];
  fresh: readonly string[];
}

const usualWeight = 100;
const mostWeight = 256;

/** All layouts from "the old ones serve" to "the new ones serve". */
export function layoutsOf(strategy: Strategy, warmUpMs: number, sides: Sides): Layout[] {
  const { old, fresh } = sides;
  const first = all(old);
  if (old.length === 0) return [first, all(fresh)];
  const course = {
    replace: () => [first, all([]), all(fresh)],
    "blue-green": () => [first, { running: [...old, ...fresh], weights: weigh(fresh) }],
    rolling: () => [first, ...rolling(strategy as Of<"rolling">, sides)],
    canary: () => [first, ...canary(strategy as Of<"canary">, sides)],
  }[strategy.kind]();
  return warmUpMs > 0 ? warmed(course, warmUpMs) : course;
}

type Of<K extends Strategy["kind"]> = Extract<Strategy, { kind: K }>;

function all(instances: readonly string[]): Layout {
  return { running: [...instances], weights: weigh(instances) };
}

function weigh(instances: readonly string[], weight = usualWeight): Record<string, number> {
  return Object.fromEntries(instances.map((name) => [name, weight]));
}

/** Never more than `surge` above the wanted number, never fewer than `unavailable` below it. */
function rolling({ surge, unavailable }: Of<"rolling">, { old, fresh }: Sides): Layout[] {
  const layouts: Layout[] = [];
  const wanted = fresh.length;
  for (let [gone, come] = [0, 0]; gone < old.length || come < wanted;) {
    const before = come;
    come += Math.max(0, Math.min(wanted - come, wanted + surge - (old.length - gone + come)));
    if (come > before) layouts.push(all([...old.slice(gone), ...fresh.slice(0, come)]));
    const spare = old.length - gone + come - (wanted - unavailable);
    const leaving = Math.max(0, Math.min(old.length - gone, spare));
    gone += leaving;
    if (leaving > 0) layouts.push(all([...old.slice(gone), ...fresh.slice(0, come)]));
    if (come === before && leaving === 0) throw new Error("a rolling rollout that can neither add nor remove");
  }
  return layouts;
}

/** The old ones run on to the end; of the new ones run as many as their share of the traffic needs. */
function canary({ steps }: Of<"canary">, { old, fresh }: Sides): Layout[] {
  const some = steps.map(({ percent, ms, hold }): Layout => {
    const count = Math.max(1, Math.ceil((percent / 100) * fresh.length));
    const chosen = fresh.slice(0, count);
    const [ofNew, ofOld] = [percent / count, (100 - percent) / old.length];
    const scale = mostWeight / Math.max(ofNew, ofOld);
    const weight = (share: number) => Math.max(1, Math.round(share * scale));
    return {
      running: [...old, ...chosen],
      weights: { ...weigh(old, weight(ofOld)), ...weigh(chosen, weight(ofNew)) },
      stay: { ms, hold, kind: "judge" },
    };
  });
  return [...some, { running: [...old, ...fresh], weights: weigh(fresh) }];
}

const rampShares = [0.1, 0.4, 0.7];

/** Between two layouts in which somebody serves, instances that come get their share little by little. */
function warmed(layouts: readonly Layout[], warmUpMs: number): Layout[] {
  return layouts.flatMap((layout, index) => {
    const before = layouts[index - 1];
    if (!before || !grows(before, layout)) return [layout];
    const running = [...new Set([...before.running, ...layout.running])];
    const stay: Stay = { ms: Math.round(warmUpMs / rampShares.length), hold: false, kind: "ramp" };
    return [...rampShares.map((share) => ({ running, weights: blend(before, layout, share), stay })), layout];
  });
}

function grows(before: Layout, after: Layout): boolean {
  const serving = Object.keys(before.weights);
  return serving.length > 0 && Object.keys(after.weights).some((name) => !serving.includes(name));
}

function blend(before: Layout, after: Layout, share: number): Record<string, number> {
  const [from, to] = [shares(before), shares(after)];
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  const mixed = names.map((name) => [name, (from[name] ?? 0) * (1 - share) + (to[name] ?? 0) * share] as const);
  const scale = mostWeight / Math.max(...mixed.map(([, value]) => value));
  return Object.fromEntries(mixed.map(([name, value]) => [name, Math.max(1, Math.round(value * scale))]));
}

function shares({ weights }: Layout): Record<string, number> {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, weight / total]));
}

/** What has to happen between two layouts. */
export interface Change {
  start: string[];
  /** They had traffic and get none any more. */
  leave: string[];
  end: string[];
}

export function changeBetween(from: Layout, to: Layout): Change {
  return {
    start: to.running.filter((name) => !from.running.includes(name)),
    leave: Object.keys(from.weights).filter((name) => !(name in to.weights)),
    end: from.running.filter((name) => !to.running.includes(name)),
  };
}

/** The layout to go back to from one: the first where nothing has to be started for it, otherwise one step. */
export function layoutBefore(layouts: readonly Layout[], from: number): number {
  const present = layouts[from]?.running ?? [];
  if (layouts[0]?.running.every((name) => present.includes(name))) return 0;
  let to = from - 1;
  while (to > 0 && layouts[to]?.stay?.kind === "ramp") to -= 1;
  return Math.max(0, to);
}
