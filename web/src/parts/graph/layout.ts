/** Where the nodes of a graph stand and its edges run, in layers from left to right, by the Eclipse Layout Kernel (https://eclipse.dev/elk/). */
import ELK, { type ElkNode } from "elkjs/lib/elk.bundled.js";
import type { Point } from "./rounded-path.ts";

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
  boxes: ReadonlyMap<string, Point>;
  /** From the side of one box to the side of the other, around what stands between. */
  lines: ReadonlyMap<string, readonly Point[]>;
}

const elk = new ELK();

const usual = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.layered.spacing.nodeNodeBetweenLayers": "190",
  "elk.layered.spacing.edgeNodeBetweenLayers": "24",
  "elk.spacing.nodeNode": "28",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

/** `options`: of ELK, in place of the usual ones. */
export async function layOut(
  boxes: readonly Box[],
  lines: readonly Line[],
  options: Record<string, string> = {},
): Promise<Layout> {
  const graph: ElkNode = {
    id: "graph",
    layoutOptions: { ...usual, ...options },
    children: [...boxes],
    edges: lines.map(({ id, source, target }) => ({ id, sources: [source], targets: [target] })),
  };
  const { children = [], edges = [] } = await elk.layout(graph);
  return {
    boxes: new Map(children.map(({ id, x = 0, y = 0 }) => [id, { x, y }])),
    lines: new Map(
      edges.map(({ id, sections = [] }) => [
        id,
        sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]),
      ]),
    ),
  };
}
