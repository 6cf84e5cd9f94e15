import { Tooltip } from "@mantine/core";
import { createClock } from "./clock.ts";

const useNow = createClock(15_000);

const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
] as const;

/** `3 min ago`, by one clock for the whole page; the exact time on hover. */
export function TimeAgo({ at }: { at: string }) {
  const now = useNow();
  return (
    <Tooltip label={new Date(at).toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" })}>
      <time dateTime={at} style={{ whiteSpace: "nowrap" }}>
        {ago((now - Date.parse(at)) / 1000)}
      </time>
    </Tooltip>
  );
}

function ago(seconds: number): string {
  const [unit, length] = units.find(([, length]) => seconds >= length) ?? [];
  return unit && length ? `${Math.floor(seconds / length)} ${unit} ago` : "just now";
}
