import type { Assignment } from "#api/endpoints/agent.ts";
import { parsePluginSource } from "#pipeline/plugin-source.ts";
import type { JobContext } from "../job-context.ts";
import { type JunitConfig, readConfig } from "../plugins/built-in.ts";
import { fetchedIn, fetchReports } from "./fetch-reports.ts";

const fetchedFolder = "junit";

/** Of the reports that a job leaves or fetches: what a `test:` step names, or the plugin `junit` of a step with commands. */
export function reportPatterns(assignment: Pick<Assignment, "junit" | "work">): string[] {
  const configs = configsOf(assignment);
  const isFetched = configs.some(({ artifacts }) => artifacts);
  const own = configs.flatMap(({ files = [] }) => files);
  return [...(assignment.junit ?? []), ...own, ...(isFetched ? [fetchedIn(fetchedFolder)] : [])];
}

/** Brings what earlier steps kept of their reports. */
export async function fetchWantedReports(context: JobContext): Promise<void> {
  const queries = configsOf(context.assignment).flatMap(({ artifacts = [] }) => artifacts);
  if (queries.length > 0) await fetchReports(context, { queries, folder: fetchedFolder });
}

function configsOf({ work }: Pick<Assignment, "work">): JunitConfig[] {
  const plugins = work.kind === "command" ? (work.plugins ?? []) : [];
  return plugins.flatMap(({ source, config }) => {
    const parsed = parsePluginSource(source);
    if (parsed?.kind !== "built-in" || parsed.name !== "junit") return [];
    const read = readConfig(parsed.name, config);
    return "fault" in read || read.name !== "junit" ? [] : [read.config];
  });
}
