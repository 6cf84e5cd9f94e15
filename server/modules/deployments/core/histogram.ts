/** Times of answers, counted by size: a hundredth of the room of the times themselves, and within three in a hundred as exact. */

/** Count by number of the bucket. */
export type Histogram = Record<string, number>;

const growth = Math.log(1.05);

export function addTimes(histogram: Histogram, milliseconds: readonly number[]): Histogram {
  const next = { ...histogram };
  for (const each of milliseconds) {
    const bucket = Math.round(Math.log(Math.max(0, each) + 1) / growth);
    next[bucket] = (next[bucket] ?? 0) + 1;
  }
  return next;
}

export function countOf(histogram: Histogram): number {
  return Object.values(histogram).reduce((sum, count) => sum + count, 0);
}

/** Milliseconds, rounded; 0 where nothing was counted. */
export function quantileOf(histogram: Histogram, share: number): number {
  const buckets = Object.entries(histogram).toSorted(([left], [right]) => Number(left) - Number(right));
  let left = share * countOf(histogram);
  for (const [bucket, count] of buckets) {
    left -= count;
    if (left <= 0) return Math.round(Math.exp(Number(bucket) * growth) - 1);
  }
  return 0;
}
