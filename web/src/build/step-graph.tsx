import "@xyflow/react/dist/base.css";
import { Text, UnstyledButton, useComputedColorScheme } from "@mantine/core";
import { Controls, Handle, type Node, type NodeProps, Position, ReactFlow } from "@xyflow/react";
import { createContext, type CSSProperties, useContext, useMemo } from "react";
import { Duration } from "../parts/duration.tsx";
import { signs } from "../parts/state-sign.tsx";
import { screenScale } from "../parts/screen-scale.ts";
import { tones } from "../theme.ts";
import { drawSteps, sizeOf } from "./graph-layout.ts";
import classes from "./step-graph.module.css";
import { plainLabel, spanOf, type Step, stepSign, whyOf } from "./words.ts";

interface Props {
  steps: Step[];
  open: (key: string) => void;
}

type StepNode = Node<{ step: Step }>;

const Open = createContext<(key: string) => void>(() => {});
const tallest = 420;

/** The steps by what they depend on. It moves by dragging; the page scrolls over it. */
export default function StepGraph({ steps, open }: Props) {
  const scheme = useComputedColorScheme();
  const shape = JSON.stringify(steps.map(({ key, kind, dependsOn }) => ({ key, kind, dependsOn })));
  const drawing = useMemo(() => drawSteps(JSON.parse(shape) as Step[]), [shape]);
  const scale = screenScale();
  const height = Math.min(drawing.height * scale + 40, tallest);
  const nodes = steps.flatMap((step): StepNode[] => {
    const position = drawing.boxes.get(step.key);
    if (!position) return [];
    const type = step.kind === "wait" ? "wait" : "step";
    return [{ id: step.key, type, position, data: { step }, ...sizeOf(step), handles: handlesOf(step) }];
  });
  return (
    <Open value={open}>
      <div className={classes["graph"]} style={{ height }}>
        <ReactFlow
          nodes={nodes}
          edges={drawing.edges}
          nodeTypes={nodeTypes}
          colorMode={scheme}
          fitView
          fitViewOptions={{ padding: 0.06, maxZoom: scale, minZoom: 0.5 }}
          minZoom={0.2}
          maxZoom={1.25 * scale}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          zoomOnScroll={false}
          preventScrolling={false}
          zoomOnDoubleClick={false}
          proOptions={{ hideAttribution: true }}
          aria-label="Steps by what they depend on"
        >
          {height === tallest && <Controls showInteractive={false} />}
        </ReactFlow>
      </div>
    </Open>
  );
}

/** Known beforehand, so that the lines are there at once. */
function handlesOf(step: Step) {
  const { width, height } = sizeOf(step);
  const at = { y: height / 2, width: 1, height: 1 };
  return [
    { type: "target" as const, position: Position.Left, x: 0, ...at },
    { type: "source" as const, position: Position.Right, x: width, ...at },
  ];
}

function Handles() {
  return (
    <>
      <Handle type="target" position={Position.Left} className={classes["handle"] ?? ""} isConnectable={false} />
      <Handle type="source" position={Position.Right} className={classes["handle"] ?? ""} isConnectable={false} />
    </>
  );
}

const toneOf = (tone: keyof typeof tones) =>
  ({ "--tone": `var(--mantine-color-${tones[tone]}-filled)` }) as CSSProperties;

function StepNodeView({ data: { step } }: NodeProps<StepNode>) {
  const open = useContext(Open);
  const { tone, word } = stepSign(step);
  const Sign = signs[tone];
  const span = spanOf(step);
  return (
    <UnstyledButton
      className={`${classes["node"]} nodrag`}
      style={toneOf(tone)}
      data-busy={tone === "busy" || undefined}
      onClick={() => open(step.key)}
    >
      <Sign size={18} aria-hidden />
      <div className={classes["words"]}>
        <Text size="sm" fw={600} truncate title={step.label}>
          {plainLabel(step.label)}
        </Text>
        <Text size="xs" c="dimmed" truncate title={whyOf(step)}>
          {step.waits.length > 0 ? (
            whyOf(step)
          ) : (
            <>
              {word}
              {span && (
                <>
                  {" "}
                  · <Duration {...span} />
                </>
              )}
            </>
          )}
        </Text>
      </div>
      <Handles />
    </UnstyledButton>
  );
}

function WaitNodeView({ data: { step } }: NodeProps<StepNode>) {
  return (
    <div className={classes["wait"]} style={toneOf(stepSign(step).tone)} title="waits for all before it">
      <Handles />
    </div>
  );
}

const nodeTypes = { step: StepNodeView, wait: WaitNodeView };
