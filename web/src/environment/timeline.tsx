import { Box, Paper, Text, useMantineTheme } from "@mantine/core";
import { CartesianGrid, ResponsiveContainer, Scatter, ScatterChart, Tooltip, XAxis, YAxis } from "recharts";
import { toneOf } from "../deploy/deployment-table.tsx";
import type { Deployment } from "../deploy/rollout-progress.tsx";
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
  const days = (Math.max(...dots.map(({ at }) => at)) - Math.min(...dots.map(({ at }) => at))) / 86_400_000;
  const label = (at: number) =>
    days > 2
      ? new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" })
      : new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  return (
    <Box
      h={64 + Math.max(2, services.length) * 34}
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
            width={112}
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

const text = { fontSize: 12, fill: "var(--mantine-color-text)" };

/** Round for what went well, a triangle for what went wrong, a ring for what is under way, a bar for the rest. */
function Mark({ cx = 0, cy = 0, payload }: { cx?: number; cy?: number; payload?: Dot }) {
  const theme = useMantineTheme();
  if (!payload) return null;
  const tone: Tone = toneOf(payload.deployment);
  const fill = theme.colors[tones[tone]]?.[6] ?? "gray";
  if (tone === "bad") return <path d={`M${cx} ${cy - 7}l7 12h-14z`} fill={fill} />;
  if (tone === "good") return <circle cx={cx} cy={cy} r={5.5} fill={fill} />;
  if (tone === "none") return <rect x={cx - 5} y={cy - 2} width={10} height={4} rx={2} fill={fill} />;
  return <circle cx={cx} cy={cy} r={5} fill="none" stroke={fill} strokeWidth={2.5} />;
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
