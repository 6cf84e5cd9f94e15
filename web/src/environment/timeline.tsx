import { Box, Paper, Text, useMantineTheme } from "@mantine/core";
import type { ReactElement } from "react";
import { CartesianGrid, ResponsiveContainer, Scatter, ScatterChart, Tooltip, XAxis, YAxis } from "recharts";
import { toneOf } from "../deploy/deployment-table.tsx";
import type { Deployment } from "../deploy/rollout-progress.tsx";
import { screenScale } from "../parts/screen-scale.ts";
import { type Tone, tones } from "../theme.ts";

interface Dot {
  at: number;
  service: string;
  deployment: Deployment;
}

/** Each deployment as a mark on the line of its service; sign and colour say how it ended. */
export function Timeline({ deployments }: { deployments: readonly Deployment[] }) {
  const dots = deployments.map((deployment): Dot => ({
    at: Date.parse(deployment.finishedAt ?? deployment.startedAt ?? deployment.createdAt),
    service: deployment.service,
    deployment,
  }));
  const services = [...new Set(dots.map(({ service }) => service))].toSorted();
  const minutes = (Math.max(...dots.map(({ at }) => at)) - Math.min(...dots.map(({ at }) => at))) / 60_000;
  const scale = screenScale();
  const text = { fontSize: 12 * scale, fill: "var(--mantine-color-text)" };
  const label = (at: number) => (minutes > 2 * 24 * 60 ? dayOf(at) : timeOf(at, minutes < 10));
  return (
    <Box
      h={(64 + Math.max(2, services.length) * 34) * scale}
      role="img"
      aria-label="Deployments over time; the table below has them in words"
    >
      <ResponsiveContainer>
        <ScatterChart margin={{ top: 8, right: 24, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--rail)" />
          <XAxis
            dataKey="at"
            type="number"
            domain={["dataMin", "dataMax"]}
            padding={{ left: 16, right: 16 }}
            tickFormatter={label}
            tick={text}
            tickLine={false}
            axisLine={false}
            minTickGap={48}
          />
          <YAxis
            dataKey="service"
            type="category"
            domain={services}
            allowDuplicatedCategory={false}
            width={112 * scale}
            tick={text}
            tickLine={false}
            axisLine={false}
            reversed
          />
          <Tooltip isAnimationActive={false} cursor={false} content={<Told />} />
          <Scatter data={dots} shape={<Mark />} isAnimationActive={false} />
        </ScatterChart>
      </ResponsiveContainer>
    </Box>
  );
}

const dayOf = (at: number) => new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" });

const timeOf = (at: number, withSeconds: boolean) =>
  new Date(at).toLocaleTimeString(undefined, {
    ...{ hour: "2-digit", minute: "2-digit" },
    ...(withSeconds ? { second: "2-digit" } : {}),
  });

/** Round for what went well, a triangle for what went wrong, a ring for what is under way, a bar for the rest. */
function Mark({ cx = 0, cy = 0, payload }: { cx?: number; cy?: number; payload?: Dot }) {
  const theme = useMantineTheme();
  if (!payload) return null;
  const tone: Tone = toneOf(payload.deployment);
  const fill = theme.colors[tones[tone]]?.[6] ?? "gray";
  return (
    <g transform={`translate(${cx} ${cy}) scale(${screenScale()})`} fill={fill}>
      {marks[tone](fill)}
    </g>
  );
}

const marks: Record<Tone, (stroke: string) => ReactElement> = {
  bad: () => <path d="M0 -7l7 12h-14z" />,
  good: () => <circle r={5.5} />,
  none: () => <rect x={-5} y={-2} width={10} height={4} rx={2} />,
  busy: under,
  waiting: under,
  soft: under,
};

function under(stroke: string): ReactElement {
  return <circle r={5} fill="none" stroke={stroke} strokeWidth={2.5} />;
}

function Told({ active, payload }: { active?: boolean; payload?: { payload: Dot }[] }) {
  const dot = payload?.[0]?.payload;
  if (!active || !dot) return null;
  const { service, release, outcome, phase, state, reason, kind } = dot.deployment;
  return (
    <Paper withBorder p="xs" shadow="sm" maw={320}>
      <Text size="sm" fw={600}>
        {service}, {kind === "rollback" ? "back to " : ""}release {release ?? "?"}
      </Text>
      <Text size="xs">
        {outcome ?? phase ?? state}, {new Date(dot.at).toLocaleString()}
      </Text>
      {reason && (
        <Text size="xs" c="dimmed" lineClamp={3}>
          {reason}
        </Text>
      )}
    </Paper>
  );
}
