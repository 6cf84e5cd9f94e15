import { Group, SimpleGrid, Text } from "@mantine/core";
import type { Output } from "../api/call.ts";
import MiniChart from "../parts/mini-chart.tsx";
import { rateWords, shareWords, timeWords } from "../parts/figures.ts";

type Sides = NonNullable<Output<"showRolloutTraffic">["sides"]>;
type Point = Sides["fresh"]["points"][number];

interface Props {
  fresh: Sides["fresh"];
  old: Sides["old"];
  before: string;
}

interface Measure {
  name: string;
  of(point: Point): number | null;
  words(value: number | null): string;
  /** So that nothing is not drawn as much. */
  least: number;
}

const measures: Measure[] = [
  { name: "Requests", of: ({ requests }) => requests, words: (value) => rateWords(value ?? 0), least: 1 },
  { name: "Failed", of: ({ failed }) => failed, words: (value) => shareWords(value ?? 0), least: 0.05 },
  { name: "p95", of: ({ p95 }) => p95, words: timeWords, least: 20 },
];

/** The old and the new in the last two minutes; each row of charts has one scale. */
export default function SideBySide({ fresh, old, before }: Props) {
  return (
    <SimpleGrid cols={2} spacing="sm" verticalSpacing={6}>
      {[before, "new"].map((side) => (
        <Text key={side} size="xs" fw={600} truncate aria-hidden>
          {side}
        </Text>
      ))}
      {measures.flatMap((measure) => {
        const values = [...old.points, ...fresh.points].map((point) => measure.of(point) ?? 0);
        const top = Math.max(measure.least, ...values);
        return [
          <Chart
            key={`old ${measure.name}`}
            measure={measure}
            points={old.points}
            top={top}
            side={before}
            colour="gray.5"
          />,
          <Chart
            key={`new ${measure.name}`}
            measure={measure}
            points={fresh.points}
            top={top}
            side="new"
            colour="tow.5"
          />,
        ];
      })}
    </SimpleGrid>
  );
}

interface ChartProps {
  measure: Measure;
  points: readonly Point[];
  top: number;
  side: string;
  colour: string;
}

function Chart({ measure: { name, of, words }, points, top, side, colour }: ChartProps) {
  const last = points.at(-1);
  const now = words(last ? of(last) : null);
  return (
    <div role="img" aria-label={`${name}, ${side}: ${now} now`}>
      <Group justify="space-between" gap={4} wrap="nowrap">
        <Text size="xs" c="dimmed">
          {name}
        </Text>
        <Text size="xs" fw={600} style={{ whiteSpace: "nowrap" }}>
          {now}
        </Text>
      </Group>
      <MiniChart
        name={name}
        points={points.map((point) => ({ ago: point.ago, value: of(point) }))}
        words={words}
        colour={colour}
        top={top}
      />
    </div>
  );
}
