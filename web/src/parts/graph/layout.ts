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

/** Pixels around the whole: half a line's label. */
const rim = 12;

export function layOut(boxes: readonly Box[], lines: readonly Line[], spacing: Spacing): Layout {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", ...spacing });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { source, target } of lines) graph.setEdge(source, target);
  layout(graph);
  const centre = (id: string) => graph.node(id) as Point & { width: number; height: number };
  const corners = new Map(
    boxes.map(({ id, width, height }) => [id, { x: centre(id).x - width / 2, y: centre(id).y - height / 2 }]),
  );
  const ways = new Map(
    lines.map(({ id, source, target }) => {
      const [from, to] = [centre(source), centre(target)];
      const { points = [] } = graph.edge(source, target) as { points?: Point[] };
      // Of a line to the next layer, the only point between is the middle, which says nothing.
      const between = points.length > 3 ? points.slice(1, -1) : [];
      const start = { x: from.x + from.width / 2, y: from.y };
      return [id, [start, ...between, { x: to.x - to.width / 2, y: to.y }]];
    }),
  );
  const far = boxes.map(({ id, width, height }) => ({ x: centre(id).x + width / 2, y: centre(id).y + height / 2 }));
  return framed(corners, ways, far);
}

/** Around boxes and lines, and with the upper left corner at the origin: dagre measures by the boxes alone, and a line may run below all of them. */
function framed(boxes: Map<string, Point>, lines: Map<string, Point[]>, far: readonly Point[]): Layout {
  const all = [...boxes.values(), ...[...lines.values()].flat(), ...far];
  if (all.length === 0) return { boxes, lines, width: 0, height: 0 };
  const [left, top] = [Math.min(...all.map(({ x }) => x)) - rim, Math.min(...all.map(({ y }) => y)) - rim];
  const moved = ({ x, y }: Point) => ({ x: x - left, y: y - top });
  return {
    boxes: new Map([...boxes].map(([id, point]) => [id, moved(point)])),
    lines: new Map([...lines].map(([id, points]) => [id, points.map(moved)])),
    width: Math.max(...all.map(({ x }) => x)) - left + rim,
    height: Math.max(...all.map(({ y }) => y)) - top + rim,
  };
}
