/**
 * How many instances should serve. More at once, when two looks in a row say so; fewer one by one, each after a calm time in
 * which one fewer would have been enough. It settles under any steady load: a number that was once too few for a load is not
 * gone back to before there is clearly less of it.
 */
import type { Scale } from "#stack/stack.ts";

/** What was seen of a service since the look before. What is not known is absent. */
export interface Sample {
  /** Milliseconds of a clock. */
  at: number;
  /** Instances that serve. */
  count: number;
  /** Percent of its processors that an instance uses, on the average. */
  cpu?: number;
  /** A second and instance. */
  requests?: number;
  /** Milliseconds until an answer began, of so many requests. */
  p95?: { ms: number; of: number };
}

type Metric = "cpu" | "requests" | "p95";

export interface ScaleState {
  /** Looks in a row at which there were too few. */
  hot: number;
  /** Since when one fewer would have been enough. */
  calmSince: number | null;
  changedAt: number | null;
  /** So many were too few for so much. */
  tooFew: { metric: Metric; count: number; load: number } | null;
  /** What was seen last and what follows, for people. */
  words: string;
}

export interface Scaling {
  state: ScaleState;
  wanted: number;
}

export const unscaled: ScaleState = {
  ...{ hot: 0, calmSince: null, changedAt: null, tooFew: null },
  words: "nothing is measured yet",
};

/** One busy moment says nothing. */
const hotLooks = 2;
/** What came last must have had time to take its part. */
export const settleMs = 15_000;
/** Around a target nothing is done: so much above it are too few, so much below it with one fewer are enough. */
const tooMuch = 1.1;
const enough = 0.9;
/** A tenth of an instance is not worth one. */
const nearly = 0.1;
/** Times do not grow with the load as the other measures do: only where they are short, one fewer may do. */
const short = 0.5;
/** Fewer requests say nothing about times. */
const fewestTimes = 10;
/** There is clearly less to do. */
const less = 0.8;

interface Demand {
  metric: Metric;
  words: string;
  /** Against its target. */
  ratio: number;
  /** All that there is to do. */
  load: number;
  hot: boolean;
  /** One fewer would be enough. */
  calm: boolean;
}

export function scaleOn(before: ScaleState, scale: Scale, sample: Sample): Scaling {
  const { count } = sample;
  if (count < scale.min) return changed(before, sample, { to: scale.min, words: `at least ${scale.min} run` });
  const demands = demandsOf(scale, sample);
  const [first] = demands.toSorted((left, right) => right.ratio - left.ratio);
  if (!first) return { state: { ...before, hot: 0, calmSince: null, words: unscaled.words }, wanted: count };
  if (first.hot) return grow(before, scale, { sample, demand: first });
  const known = demands.length === targetsOf(scale).length;
  if (known && demands.every((demand) => isCalm(demand, before, count)))
    return shrink(before, scale, { sample, demand: first });
  return { state: { ...before, hot: 0, calmSince: null, words: first.words }, wanted: count };
}

function targetsOf(scale: Scale): Metric[] {
  return (["cpu", "requests", "p95"] as const).filter((metric) => scale[metric] !== undefined);
}

function demandsOf(scale: Scale, sample: Sample): Demand[] {
  return targetsOf(scale).flatMap((metric) => {
    const target = scale[metric] ?? 0;
    if (metric === "p95") return timesDemand(target, sample);
    const value = sample[metric];
    return value === undefined ? [] : [shared(metric, { value, target, count: sample.count })];
  });
}

/** What instances share among them: one fewer, and each gets more in proportion. */
function shared(
  metric: "cpu" | "requests",
  { value, target, count }: { value: number; target: number; count: number },
): Demand {
  const words =
    metric === "cpu"
      ? `cpu ${Math.round(value)} % of ${target} %`
      : `${Math.round(value * 10) / 10} of ${target} requests a second and instance`;
  const load = value * count;
  const ratio = value / target;
  return { metric, words, ratio, load, hot: ratio > tooMuch, calm: count > 1 && load / (count - 1) <= target * enough };
}

function timesDemand(target: number, { p95, requests, count }: Sample): Demand[] {
  if (!p95 || requests === undefined) return [];
  const ratio = p95.of < fewestTimes ? Math.min(1, p95.ms / target) : p95.ms / target;
  const words = p95.of === 0 ? "no requests" : `p95 ${Math.round(p95.ms)} ms of ${target} ms`;
  return [{ metric: "p95", words, ratio, load: requests * count, hot: ratio > tooMuch, calm: ratio <= short }];
}

function isCalm({ metric, load, calm }: Demand, { tooFew }: ScaleState, count: number): boolean {
  const known = tooFew?.metric === metric && count - 1 <= tooFew.count ? tooFew : undefined;
  return calm && (!known || load < known.load * less);
}

interface Step {
  sample: Sample;
  demand: Demand;
}

function grow(before: ScaleState, { max }: Scale, { sample, demand }: Step): Scaling {
  const { at, count } = sample;
  const hot = before.hot + 1;
  const settled = before.changedAt === null || at - before.changedAt >= settleMs;
  const state: ScaleState = { ...before, hot, calmSince: null };
  if (count >= max)
    return { state: { ...state, words: `${demand.words}, and more than ${max} may not run` }, wanted: count };
  if (hot < hotLooks || !settled) return { state: { ...state, words: demand.words }, wanted: count };
  // Times may be any multiple of their target, which says little about how many are missing.
  const most = demand.metric === "p95" ? 2 * count : max;
  const { metric, load, words } = demand;
  const to = Math.min(max, most, Math.ceil(count * demand.ratio - nearly));
  return changed({ ...state, tooFew: { metric, count, load } }, sample, { to, words });
}

function shrink(before: ScaleState, { min, calmMs }: Scale, { sample, demand }: Step): Scaling {
  const { at, count } = sample;
  const calmSince = Math.min(before.calmSince ?? at, at);
  if (count <= min) return { state: { ...before, hot: 0, calmSince, words: demand.words }, wanted: count };
  if (at - calmSince >= calmMs) return changed(before, sample, { to: count - 1, words: demand.words });
  const words = `${demand.words}, one goes after ${Math.round(calmMs / 1000)} s of calm`;
  return { state: { ...before, hot: 0, calmSince, words }, wanted: count };
}

function changed(before: ScaleState, { at }: Sample, { to, words }: { to: number; words: string }): Scaling {
  return { state: { ...before, hot: 0, calmSince: null, changedAt: at, words }, wanted: to };
}
