/** What a person should know before a deployment begins, beside the gates: a sentence for each thing that can hurt. */
import type { StackChange } from "#stack/diff-stack.ts";
import type { Stack } from "#stack/stack.ts";

export interface RiskFacts {
  /** As it would run. */
  stack: Stack;
  changes: readonly StackChange[];
  /** The release that serves; null where none does. */
  from: number | null;
  commits: number;
  /** The last deployment here that ended. */
  last: { release: number | null; outcome: string | null; reason: string | null } | undefined;
}

/** Beyond so many, nobody knows which of them broke something. */
const manyCommits = 20;

export function risksOf({ stack, changes, from, commits, last }: RiskFacts): string[] {
  const { rollout, instances, environment, release } = stack;
  const first = from === null;
  const back = from !== null && from > release.number;
  const bad = last?.outcome === "rolled-back" || last?.outcome === "failed";
  const ended = last?.outcome === "failed" ? "failed" : "was rolled back";
  const reason = last?.reason?.split("\n")[0];
  return [
    ...(bad && last?.release === release.number
      ? [`This release was tried here last and ${ended}${reason ? `: ${reason}` : ""}.`]
      : []),
    ...(bad && last?.release !== release.number
      ? [`The last deployment here, of release ${last?.release ?? "?"}, ${ended}${reason ? `: ${reason}` : ""}.`]
      : []),
    ...(back ? [`Release ${release.number} is older than release ${from}, which serves.`] : []),
    ...(rollout.migrate && from !== release.number
      ? ["A migration runs before its instances start; going back does not undo it."]
      : []),
    ...(rollout.strategy.kind === "replace" && !first
      ? ["The old instances end before the new ones start: nothing serves in between."]
      : []),
    ...(instances === 1 && !first ? [`One instance serves in ${environment}: if it fails, nothing does.`] : []),
    ...(commits > manyCommits ? [`${commits} commits go at once.`] : []),
    ...(!first && changes.some(({ path }) => path.startsWith("backing."))
      ? ["What it uses of the environment changes: a backing service is another, or set otherwise."]
      : []),
    ...(rollout.watchMs === 0 ? [`No release is watched in ${environment}: it does not go back by itself.`] : []),
  ];
}
