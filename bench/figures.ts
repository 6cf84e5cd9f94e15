/** What every benchmark ends with: a table for people, then one line of JSON for programs. */

/** Figures carry their unit in their name (`push_ms`, `ratio`, `memory_mib`). */
export interface BenchResult {
  bench: string;
  /** Its aim is met. */
  ok: boolean;
  figures: Record<string, number | string>;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** By linear interpolation between the two nearest ranks; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (sorted.length - 1) * share;
  const low = sorted[Math.floor(rank)] ?? Number.NaN;
  const high = sorted[Math.ceil(rank)] ?? Number.NaN;
  return low + (high - low) * (rank - Math.floor(rank));
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
