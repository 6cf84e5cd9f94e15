import "@mantine/charts/styles.css";
import { AreaChart } from "@mantine/charts";

interface Props {
  name: string;
  /** From the oldest to the newest; null where nothing is known. */
  points: readonly { ago: number; value: number | null }[];
  words(value: number): string;
  colour?: string;
  height?: number;
  /** Upper end of the scale, where charts stand side by side. */
  top?: number;
}

/** A figure over the last two minutes, without axes; what it is now stands beside it in words. */
export default function MiniChart({ name, points, words, colour = "tow.5", height = 44, top }: Props) {
  return (
    <AreaChart
      h={height}
      data={points.map(({ ago, value }) => ({ ago: `${ago} s ago`, value }))}
      dataKey="ago"
      series={[{ name: "value", color: colour, label: name }]}
      valueFormatter={words}
      withXAxis={false}
      withYAxis={false}
      withDots={false}
      gridAxis="none"
      curveType="monotone"
      yAxisProps={{ domain: [0, top ?? "auto"] }}
      areaChartProps={{ margin: { top: 2, bottom: 0, left: 0, right: 0 }, accessibilityLayer: false }}
      areaProps={{ isAnimationActive: false }}
      connectNulls={false}
    />
  );
}
