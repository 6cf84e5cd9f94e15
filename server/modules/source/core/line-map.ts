/** Where a line of one version of a file stands in another. */

/** Lines that one version has in the place of the other's; a count of 0 stands after its line. */
export interface Stretch {
  oldStart: number;
  oldLines: number;
  newLines: number;
}

const hunkHead = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/gm;

/** Reads `git diff --unified=0` of one file. */
export function parseStretches(diff: string): Stretch[] {
  return Array.from(diff.matchAll(hunkHead), ([, start, old = "1", fresh = "1"]) => ({
    oldStart: Number(start),
    oldLines: Number(old),
    newLines: Number(fresh),
  }));
}

/** The number of an old line among the new ones; undefined when it was changed or removed. Stretches stand in the order of the file. */
export function lineNow(line: number, stretches: readonly Stretch[]): number | undefined {
  let now = line;
  for (const { oldStart, oldLines, newLines } of stretches) {
    if (oldLines === 0 ? oldStart >= line : oldStart > line) break;
    if (line < oldStart + oldLines) return undefined;
    now += newLines - oldLines;
  }
  return now;
}
