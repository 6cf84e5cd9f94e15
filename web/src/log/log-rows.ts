/** Which lines of a log are seen when some of its groups are closed. */

export interface Group {
  /** Of its heading, which is always seen. */
  line: number;
}

export interface LogRows {
  count: number;
  /** Rows count from 0, lines from 1. */
  lineAt(row: number): number;
  /** Of a line that is not seen the row of its heading. */
  rowOf(line: number): number;
}

interface Run {
  row: number;
  line: number;
  lines: number;
}

/** @param groups in the order of their lines */
export function rowsOf<G extends Group>(total: number, groups: readonly G[], isOpen: (group: G) => boolean): LogRows {
  const runs: Run[] = [];
  let count = 0;
  const see = (line: number, lines: number) => {
    if (lines <= 0) return;
    runs.push({ row: count, line, lines });
    count += lines;
  };
  see(1, (groups[0]?.line ?? total + 1) - 1);
  for (const [index, group] of groups.entries()) {
    if (group.line > total) break;
    const end = Math.min(groups[index + 1]?.line ?? total + 1, total + 1);
    see(group.line, isOpen(group) ? end - group.line : 1);
  }
  const runOf = (key: "row" | "line", value: number) => runs[lastAtMost(runs, key, value)];
  return {
    count,
    lineAt(row) {
      const run = runOf("row", row);
      return run ? run.line + row - run.row : 1;
    },
    rowOf(line) {
      const run = runOf("line", line);
      return run ? run.row + Math.min(line - run.line, run.lines - 1) : 0;
    },
  };
}

/** Of the last item whose key is at most the value; -1 where there is none. */
export function lastAtMost<K extends string>(items: readonly Record<K, number>[], key: K, value: number): number {
  let [low, high] = [-1, items.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((items[middle]?.[key] ?? Infinity) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
