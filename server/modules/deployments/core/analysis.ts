/** A new release against the one before, at the same time and under the same kind of requests. */
import type { Analysis } from "#stack/stack.ts";
import { countOf, quantileOf } from "./histogram.ts";
import { minus, percent, shareOf, type Watch } from "./watch.ts";

export interface Verdict {
  /** Why the release must go. */
  worse?: string;
  /** Enough was seen to be sure. */
  enough: boolean;
  /** What was compared, in words. */
  words: string;
}

/** Fewer failed requests than this prove nothing. */
const fewestErrors = 3;
/** A difference that nobody feels, in milliseconds. */
const unfelt = 20;

export function judge(watch: Watch, analysis: Analysis, before: string): Verdict {
  const compared = { ...figuresOf(watch), before };
  const { requests } = compared;
  const enough = requests >= analysis.requests;
  const worse = moreErrors(compared, analysis) ?? slower(compared, analysis);
  if (worse !== undefined) return { worse, enough, words: worse };
  const counted = `${requests} requests`;
  if (!enough) return { enough, words: `${counted}, too few to compare: ${analysis.requests} are needed` };
  const times = compared.timed.fresh > 0 ? `${timesIn(compared)}, ` : "";
  return { enough, words: `${times}${percent(compared.share)} failed against ${percent(compared.usual)}, ${counted}` };
}

interface Figures {
  requests: number;
  errors: number;
  share: number;
  usual: number;
  p95: { fresh: number; old: number };
  timed: { fresh: number; old: number };
  before: string;
}

function figuresOf({ fresh, old, mark, times, usualShare }: Watch): Omit<Figures, "before"> {
  const [here, there] = [minus(fresh.seen, mark.fresh), minus(old.seen, mark.old)];
  return {
    requests: Math.max(here.requests, here.errors),
    errors: here.errors,
    share: shareOf(here),
    usual: there.requests > 0 ? shareOf(there) : usualShare,
    p95: { fresh: quantileOf(times.fresh, 0.95), old: quantileOf(times.old, 0.95) },
    timed: { fresh: countOf(times.fresh), old: countOf(times.old) },
  };
}

function moreErrors({ requests, errors, share, usual, before }: Figures, analysis: Analysis): string | undefined {
  const sure = errors >= fewestErrors && (requests >= analysis.requests || errors >= analysis.requests / 2);
  if (!sure || share <= Math.max(analysis.errors / 100, 2 * usual)) return undefined;
  return `${errors} of ${requests} requests failed (${percent(share)} against ${percent(usual)} of ${before})`;
}

/** Compared only where both were asked often enough. */
function slower(figures: Figures, { slower: times, p95: most, requests }: Analysis): string | undefined {
  const { p95, timed } = figures;
  if (timed.fresh < requests) return undefined;
  const compared = timed.old >= requests;
  const beyond = compared && p95.fresh > p95.old * times && p95.fresh - p95.old > unfelt;
  const tooMuch = most !== undefined && p95.fresh > most && (!compared || p95.old <= most);
  if (!beyond && !tooMuch) return undefined;
  const limit = tooMuch ? `, ${most} ms are allowed` : "";
  return `${timesIn(figures)}, ${timed.fresh} requests${limit}`;
}

function timesIn({ p95, timed, before }: Figures): string {
  return timed.old > 0 ? `p95 ${p95.fresh} ms against ${p95.old} ms of ${before}` : `p95 ${p95.fresh} ms`;
}
