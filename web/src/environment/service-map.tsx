import "@xyflow/react/dist/base.css";
import { Group, Paper, Select, Stack, Text, useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { IconAlertTriangle, IconCloud, IconDatabase, IconUsers } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import {
  BaseEdge,
  Controls,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
} from "@xyflow/react";
import { useMemo, useState } from "react";
import { isTroubled, rateWords, shareWords, timeWords } from "../parts/figures.ts";
import { layOut } from "../parts/graph/layout.ts";
import { labelPoint, type Point, flowPath } from "../parts/graph/flow-path.ts";
import { screenScale } from "../parts/screen-scale.ts";
import type { EnvironmentSearch } from "./environment-search.ts";
import { around, type MapEdge, type MapNode, mapSpacing, nodeSize, widthOf } from "./map-model.ts";
import classes from "./environment.module.css";

/** More labels than these are shown one node at a time. */
const mostLabels = 16;
/** More services than these are also looked at one by one. */
const manyServices = 12;
const [lowest, tallest] = [220, 640];
const margin = 48;
/** What the buttons at the right take: no box is below them. */
const buttons = 44;
/** Below it words are too small to be read. */
const smallest = 0.6;

interface Props {
  nodes: MapNode[];
  edges: MapEdge[];
}

/** Who asks whom, how often and how well. */
export default function ServiceMap(all: Props) {
  const { around: center }: EnvironmentSearch = useSearch({ from: "/environments/$environment" });
  const navigate = useNavigate({ from: "/environments/$environment" });
  const services = all.nodes.flatMap(({ id, kind, name }) => (kind === "service" ? { value: id, label: name } : []));
  const stands = services.some(({ value }) => value === center);
  return (
    <Stack gap="xs">
      {services.length > manyServices && (
        <Select
          size="xs"
          w={240}
          aria-label="Around one service"
          placeholder="All services, or around one"
          data={services}
          value={center ?? null}
          onChange={(value) => void navigate({ search: value ? { around: value } : {}, replace: true })}
          clearable
          searchable
        />
      )}
      <Drawing {...(center !== undefined && stands ? around(all, center) : all)} />
    </Stack>
  );
}

function Drawing({ nodes, edges }: Props) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const scale = screenScale();
  const scheme = useComputedColorScheme();
  const navigate = useNavigate();
  const [near, setNear] = useState<string>();
  const layout = useLayout(nodes, edges);
  const touches = ({ source, target }: MapEdge) => near === source || near === target;
  const emphasis = (edge: MapEdge) => ({
    labelled: edge.figures !== null && (near === undefined ? edges.length <= mostLabels : touches(edge)),
    faded: near !== undefined && !touches(edge),
  });
  const { zoom, height, x, y } = frameOf(layout, width, scale);
  return (
    <div ref={ref} style={{ height }} className={classes.map}>
      {width > 0 && (
        <ReactFlow
          // What was fitted into the frame once is fitted anew when frame or content are others.
          key={[width, height, ...layout.boxes.keys()].join(" ")}
          nodes={nodes.flatMap((node) => {
            const faded = near !== undefined && near !== node.id && !edges.some((e) => touches(e) && joins(e, node.id));
            return boxOf(node, layout.boxes.get(node.id), faded);
          })}
          edges={edges.map((edge): Edge<EdgeData> => ({
            ...edge,
            type: "line",
            data: { edge, points: layout.lines.get(edge.id) ?? [], ...emphasis(edge) },
            focusable: false,
          }))}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          colorMode={scheme}
          // Boxes with their lines: to fit would mean the boxes alone.
          defaultViewport={{ x, y, zoom }}
          fitViewOptions={{ padding: 0.08, maxZoom: scale }}
          minZoom={0.2}
          maxZoom={1.5 * scale}
          nodesDraggable={false}
          nodesConnectable={false}
          zoomOnScroll={false}
          preventScrolling={false}
          proOptions={{ hideAttribution: true }}
          onNodeMouseEnter={(_, { id }) => setNear(id)}
          onNodeMouseLeave={() => setNear(undefined)}
          onNodeClick={(_, { data: { node } }) => {
            if (node.kind === "service") void navigate({ to: "/services/$service", params: { service: node.name } });
          }}
        >
          <Controls showInteractive={false} position="bottom-right" />
        </ReactFlow>
      )}
    </div>
  );
}

/** As tall as the drawing is where it takes the whole width; what is too much to be read is moved by dragging. */
function frameOf(layout: { width: number; height: number }, width: number, scale: number) {
  const room = (side: number, of: number) => side / (of + margin);
  const most = tallest * scale;
  const zoom = Math.max(smallest, Math.min(scale, room(width - buttons, layout.width), room(most, layout.height)));
  const height = Math.round(Math.min(most, Math.max(lowest, layout.height * zoom + margin)));
  const middle = (side: number, of: number) => Math.max(margin / 2, (side - of * zoom) / 2);
  return { zoom, height, x: middle(width - buttons, layout.width), y: middle(height, layout.height) };
}

function boxOf(node: MapNode, position: Point | undefined, faded: boolean): Node<NodeData>[] {
  if (!position) return [];
  const ariaLabel = `${node.name}${node.figures ? `, ${rateWords(node.figures.requests)}` : ""}`;
  return [{ id: node.id, type: "box", position, data: { node, faded }, ...nodeSize, ariaLabel }];
}

/** Where the boxes stand changes only when boxes or lines come or go. */
function useLayout(nodes: MapNode[], edges: MapEdge[]) {
  const shape = JSON.stringify([
    nodes.map(({ id }) => id),
    edges.map(({ id, source, target }) => ({ id, source, target })),
  ]);
  return useMemo(() => {
    const [ids, lines] = JSON.parse(shape) as [string[], Pick<MapEdge, "id" | "source" | "target">[]];
    return layOut(
      ids.map((id) => ({ id, ...nodeSize })),
      lines,
      mapSpacing,
    );
  }, [shape]);
}

type NodeData = { node: MapNode; faded: boolean };
type EdgeData = { edge: MapEdge; labelled: boolean; faded: boolean; points: readonly Point[] };

function joins({ source, target }: MapEdge, id: string): boolean {
  return source === id || target === id;
}

const icons = { outside: IconUsers, backing: IconDatabase, elsewhere: IconCloud } as const;

function BoxNode({ data: { node, faded } }: NodeProps<Node<NodeData>>) {
  const Icon = node.kind === "service" ? undefined : icons[node.kind];
  const bad = node.figures !== null && isTroubled(node.figures);
  return (
    <Paper
      withBorder
      px="sm"
      style={{ ...nodeSize, opacity: faded ? 0.35 : 1 }}
      className={classes.node ?? ""}
      data-bad={bad || undefined}
      data-kind={node.kind}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <Group gap={6} wrap="nowrap">
        {Icon && <Icon size={16} stroke={1.6} aria-hidden />}
        <Text size="sm" fw={600} truncate>
          {node.name}
        </Text>
        {bad && <IconAlertTriangle size={16} color="var(--mantine-color-red-6)" aria-label="in trouble" />}
      </Group>
      {node.figures && (
        <Text size="xs" c="dimmed" truncate>
          {rateWords(node.figures.requests)}
          {bad && <b> · {shareWords(node.figures.failed)} fail</b>} · p95 {timeWords(node.figures.p95)}
        </Text>
      )}
      {node.kind === "backing" && (
        <Text size="xs" c="dimmed">
          not measured
        </Text>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </Paper>
  );
}

function LineEdge({ id, data }: EdgeProps<Edge<EdgeData>>) {
  if (!data) return null;
  const { edge, labelled, faded, points } = data;
  const { x, y } = labelPoint(points);
  const bad = edge.figures !== null && isTroubled(edge.figures);
  const colour = bad
    ? "var(--mantine-color-red-6)"
    : edge.kind === "measured"
      ? "var(--mantine-color-tow-5)"
      : "var(--mantine-color-dimmed)";
  const dash = { measured: undefined, declared: "6 5", unmeasured: "2 4" }[edge.kind];
  const style = { stroke: colour, strokeWidth: widthOf(edge), opacity: faded ? 0.15 : 0.9 };
  return (
    <>
      <BaseEdge id={id} path={flowPath(points)} style={dash ? { ...style, strokeDasharray: dash } : style} />
      {labelled && edge.figures && (
        <EdgeLabelRenderer>
          <div className={classes.label} style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}>
            {rateWords(edge.figures.requests)}
            {edge.figures.failed > 0 && <b> · {shareWords(edge.figures.failed)} fail</b>} ·{" "}
            {timeWords(edge.figures.p95)}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

const nodeTypes = { box: BoxNode };
const edgeTypes = { line: LineEdge };
