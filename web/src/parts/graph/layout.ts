/** Where the nodes of a graph stand and its edges run, in layers from left to right, by dagre (https://github.com/dagrejs/dagre). */
import { Graph, layout } from "@dagrejs/dagre";
import type { Point } from "./flow-path.ts";

interface Box {
  id: string;
  width: number;
  height: number;
}

interface Line {
  id: string;
  source: string;
  target: string;
}

interface Layout {
  /** Of the upper left corners. */
  boxes: ReadonlyMap<string, Point>;
  /** From the right side of one box to the left side of the other, around what stands between. */
  lines: ReadonlyMap<string, readonly Point[]>;
  /** Of the whole. */
  width: number;
  height: number;
}

/** Pixels between boxes of one layer, between layers, and between lines. */
interface Spacing {
  nodesep: number;
  ranksep: number;
  edgesep?: number;
}

export function layOut(boxes: readonly Box[], lines: readonly Line[], spacing: Spacing): Layout {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", marginx: 4, marginy: 4, ...spacing });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { source, target } of lines) graph.setEdge(source, target);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const centre = (id: string) => graph.node(id) as Point & { width: number; height: number };
  return {
    ...{ width, height },
    boxes: new Map(
      boxes.map(({ id, width, height }) => [id, { x: centre(id).x - width / 2, y: centre(id).y - height / 2 }]),
    ),
    lines: new Map(
      lines.map(({ id, source, target }) => {
        const [from, to] = [centre(source), centre(target)];
        const { points = [] } = graph.edge(source, target) as { points?: Point[] };
        // Of a line to the next layer, the only point between is the middle, which says nothing.
        const between = points.length > 3 ? points.slice(1, -1) : [];
        const start = { x: from.x + from.width / 2, y: from.y };
        return [id, [start, ...between, { x: to.x - to.width / 2, y: to.y }]];
      }),
    ),
  };
}
