/** Where the steps of a build stand in its graph, from left to right. */
import { Graph, layout } from "@dagrejs/dagre";
import type { Step } from "./words.ts";

export interface Placed {
  key: string;
  /** Of the upper left corner. */
  x: number;
  y: number;
}

export interface Drawing {
  nodes: Placed[];
  edges: { from: string; to: string }[];
  width: number;
  height: number;
}

/** A `wait` step is a point at which lines meet. */
export const sizeOf = ({ kind }: Pick<Step, "kind">) =>
  kind === "wait" ? { width: 14, height: 14 } : { width: 210, height: 54 };

export function drawSteps(steps: readonly Pick<Step, "key" | "kind" | "dependsOn">[]): Drawing {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 44, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(steps.map(({ key }) => key));
  const edges = steps.flatMap(({ key, dependsOn }) =>
    dependsOn.filter((from) => known.has(from)).map((from) => ({ from, to: key })),
  );
  for (const step of steps) graph.setNode(step.key, sizeOf(step));
  for (const { from, to } of edges) graph.setEdge(from, to);
  layout(graph);
  const nodes = steps.map((step) => {
    const { x, y } = graph.node(step.key) as { x: number; y: number };
    const { width, height } = sizeOf(step);
    return { key: step.key, x: x - width / 2, y: y - height / 2 };
  });
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return { nodes, edges, width, height };
}
