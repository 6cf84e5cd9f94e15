import type { DeploymentsDeps } from "./deps.ts";
import type { IsOlder } from "./core/lane.ts";

interface Point {
  repository: string | null;
  commit: string | null;
}

/** Asks Git for every pair in which the order of the source matters; revisions of different repositories have none. */
export async function readAncestry(
  source: Pick<DeploymentsDeps["source"], "isAncestor">,
  candidates: readonly Point[],
  others: readonly Point[],
): Promise<IsOlder> {
  const older = new Set<string>();
  const pairs = candidates.flatMap((one) => others.map((other) => ({ one, other })));
  for (const { one, other } of pairs) {
    if (!one.repository || !one.commit || !other.commit) continue;
    if (one.repository !== other.repository || one.commit === other.commit) continue;
    if (older.has(keyOf(one.commit, other.commit))) continue;
    if (await source.isAncestor(one.repository, one.commit, other.commit)) older.add(keyOf(one.commit, other.commit));
  }
  return (commit, than) => older.has(keyOf(commit, than));
}

function keyOf(commit: string, than: string): string {
  return `${commit} ${than}`;
}
