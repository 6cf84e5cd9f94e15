import type { Assignment } from "#api/endpoints/agent.ts";
import { parsePluginSource } from "#pipeline/plugin-source.ts";
import { readConfig } from "../plugins/built-in.ts";

/** Of the reports that a job leaves: what a `test:` step names, or the plugin `junit` of a step with commands. */
export function reportPatterns({ junit = [], work }: Pick<Assignment, "junit" | "work">): string[] {
  const plugins = work.kind === "command" ? (work.plugins ?? []) : [];
  const named = plugins.flatMap(({ source, config }) => {
    const parsed = parsePluginSource(source);
    if (parsed?.kind !== "built-in" || parsed.name !== "junit") return [];
    const read = readConfig(parsed.name, config);
    return "fault" in read || read.name !== "junit" ? [] : read.config.files;
  });
  return [...junit, ...named];
}
