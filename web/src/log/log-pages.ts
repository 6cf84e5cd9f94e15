/** Lines by pages, of which only those near the ones that are seen are kept. */
import type { LogLine } from "./log-lines.ts";

export interface LogPages {
  line(number: number): LogLine | undefined;
  keep(lines: readonly LogLine[]): void;
  /** Forgets the line and what is behind it on its page. */
  forget(line: number): void;
  /** What of the page is not here; undefined where all of it is. */
  missing(page: number, total: number): { from: number; limit: number } | undefined;
  /** Forgets the pages that are farthest from this one, where there are too many. */
  thin(middle: number): void;
}

export const pageLines = 250;
const mostPages = 40;

export const pageOf = (line: number): number => Math.floor((line - 1) / pageLines);
const placeOf = (line: number): number => (line - 1) % pageLines;

export function createLogPages(): LogPages {
  const pages = new Map<number, LogLine[]>();
  return {
    line: (number) => pages.get(pageOf(number))?.[placeOf(number)],
    keep(lines) {
      for (const line of lines) {
        const kept = pages.get(pageOf(line.number)) ?? [];
        // Only what joins on to what is here: the rest is read when it is wanted.
        if (placeOf(line.number) > kept.length) continue;
        kept[placeOf(line.number)] = line;
        pages.set(pageOf(line.number), kept);
      }
    },
    forget: (line) => void pages.get(pageOf(line))?.splice(placeOf(line)),
    missing(page, total) {
      const have = pages.get(page)?.length ?? 0;
      const from = page * pageLines + have + 1;
      const limit = Math.min(pageLines - have, total - from + 1);
      return limit > 0 ? { from, limit } : undefined;
    },
    thin(middle) {
      const far = [...pages.keys()].toSorted((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
      for (const page of far.slice(0, Math.max(0, pages.size - mostPages))) pages.delete(page);
    },
  };
}
