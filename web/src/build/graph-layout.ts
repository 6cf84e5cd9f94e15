/** Where the steps of a build stand in its graph, from left to right. */
import { layOut } from "../parts/graph/layout.ts";
import type { Step } from "./words.ts";

/** A `wait` step is a point at which lines meet. */
export const sizeOf = ({ kind }: Pick<Step, "kind">) =>
  kind === "wait" ? { width: 14, height: 14 } : { width: 210, height: 54 };

export function drawSteps(steps: readonly Pick<Step, "key" | "kind" | "dependsOn">[]) {
  const known = new Set(steps.map(({ key }) => key));
  const edges = steps.flatMap(({ key, dependsOn }) =>
    dependsOn.filter((source) => known.has(source)).map((source) => ({ id: `${source} ${key}`, source, target: key })),
  );
  const sized = steps.map((step) => ({ id: step.key, ...sizeOf(step) }));
  return { ...layOut(sized, edges, { nodesep: 14, ranksep: 44 }), edges };
}
