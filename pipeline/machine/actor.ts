import type { BuildState } from "./state.ts";
import { plannedOf, stepOf } from "./steps.ts";

/** Who stands behind a deployment: whoever tried it again, else the person who opened the last gate before it. */
export function actorOf(state: BuildState, step: string): string | undefined {
  const { retriedBy } = stepOf(state, step);
  if (retriedBy !== undefined) return retriedBy;
  const opened = [...stepsBefore(state, step)].flatMap((key) => {
    const { status } = stepOf(state, key);
    return status.state === "finished" && status.by !== undefined ? [{ by: status.by, at: status.at }] : [];
  });
  return opened.toSorted((a, b) => a.at.localeCompare(b.at)).at(-1)?.by;
}

function stepsBefore(state: BuildState, step: string): Set<string> {
  const found = new Set<string>();
  const stack = [step];
  for (let next = stack.pop(); next !== undefined; next = stack.pop())
    for (const { key } of plannedOf(state, next).dependsOn) {
      if (found.has(key)) continue;
      found.add(key);
      stack.push(key);
    }
  return found;
}
