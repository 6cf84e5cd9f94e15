/** What the agent has done and does, for whoever watches over it. */
import type { JobResult } from "#api/endpoints/agent.ts";

export interface Tally {
  running: number;
  /** By outcome; `lost` are those whose lease ended before them. */
  finished: Map<JobResult["outcome"] | "lost", number>;
  /** Jobs taken up again after a restart. */
  resumed: number;
  /** What was removed for want of room, by kind. */
  removed: Map<string, number>;
  /** Why no job is leased. */
  trouble: string | undefined;
}

export const createTally = (): Tally => ({
  running: 0,
  finished: new Map(),
  resumed: 0,
  removed: new Map(),
  trouble: undefined,
});

export function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The text format of Prometheus. */
export function metricsText(tally: Tally, facts: { capacity: number; freeBytes: number; cacheBytes: number }): string {
  const rows: Metric[] = [
    {
      name: "up",
      type: "gauge",
      help: "1 while jobs are leased, 0 while something keeps the agent from it.",
      values: [["", tally.trouble === undefined ? 1 : 0]],
    },
    { name: "capacity", type: "gauge", help: "Jobs at a time.", values: [["", facts.capacity]] },
    { name: "jobs_running", type: "gauge", help: "Jobs at work.", values: [["", tally.running]] },
    { name: "jobs_total", type: "counter", help: "Jobs that ended.", values: labelled("outcome", tally.finished) },
    {
      name: "jobs_resumed_total",
      type: "counter",
      help: "Jobs taken up again after a restart.",
      values: [["", tally.resumed]],
    },
    {
      name: "removed_total",
      type: "counter",
      help: "What went for want of room on the disk.",
      values: labelled("kind", tally.removed),
    },
    {
      name: "disk_free_bytes",
      type: "gauge",
      help: "Free on the disk of the agent's folder.",
      values: [["", facts.freeBytes]],
    },
    { name: "cache_bytes", type: "gauge", help: "Taken by the caches of steps.", values: [["", facts.cacheBytes]] },
  ];
  return rows.map(metricText).join("");
}

interface Metric {
  name: string;
  type: "gauge" | "counter";
  help: string;
  values: [labels: string, value: number][];
}

function metricText({ name, type, help, values }: Metric): string {
  const full = `towline_agent_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...values.map(([labels, value]) => `${full}${labels} ${value}`),
    "",
  ].join("\n");
}

const labelled = (label: string, counts: Map<string, number>): [string, number][] =>
  [...counts].map(([value, amount]) => [`{${label}="${value}"}`, amount]);
