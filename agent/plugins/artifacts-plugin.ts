/** The plugin `artifacts`: files that a step fetches before its commands, and keeps behind them. */
import { posix } from "node:path";
import type { Assignment, JobResult } from "#api/endpoints/agent.ts";
import { isRefusal } from "#api/errors.ts";
import { parsePluginSource } from "#pipeline/plugin-source.ts";
import { ToolFailure } from "../job-tool/command.ts";
import { fetchFiles } from "../job-tool/fetch-files.ts";
import { toolJob } from "../job-tool/job-tool.ts";
import { untilAnswered } from "../passing.ts";
import type { JobContext } from "../job-context.ts";
import { type ArtifactsConfig, readConfig } from "./built-in.ts";

/** What is wrong with a configuration is told where plugins are taken up. */
export function artifactsOf({ work }: Assignment): ArtifactsConfig[] {
  const plugins = work.kind === "command" ? (work.plugins ?? []) : [];
  return plugins.flatMap(({ source, config }) => {
    const parsed = parsePluginSource(source);
    if (parsed?.kind !== "built-in" || parsed.name !== "artifacts") return [];
    const read = readConfig("artifacts", config);
    return "fault" in read || read.name !== "artifacts" ? [] : [read.config];
  });
}

/** Fetches what the step wants; answers why it cannot begin without. */
export async function fetchWanted(context: JobContext): Promise<JobResult | undefined> {
  try {
    for (const config of artifactsOf(context.assignment)) await fetchOne(context, config);
    return undefined;
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error;
    return { outcome: "failed", exitStatus: error.status, reason: `the plugin artifacts: ${error.message}` };
  }
}

async function fetchOne(context: JobContext, config: ArtifactsConfig): Promise<void> {
  const { ended, log } = context;
  const job = toolJob(context, "/workspace");
  if (config.download.length > 0) await log.say("~~~ Fetching artifacts");
  for (const { from, to } of config.download) {
    const query = { query: from, step: config.step, build: config.build };
    const answer = await untilAnswered(() => job.client.searchArtifacts({ query }), ended);
    if (!answer) return;
    if (isRefusal(answer)) throw new ToolFailure(answer.message);
    const { artifacts } = answer;
    if (artifacts.length === 0 && !config["ignore-missing"]) throw new ToolFailure(`no artifact is found by ${from}`);
    const placeOf = ({ path }: { path: string }) => inFolder(to ?? path);
    await fetchFiles(job, artifacts, { placeOf, signal: ended, say: log.say });
  }
}

function inFolder(path: string): string {
  const place = posix.normalize(path).replace(/^\/+/, "");
  if (place === "" || place === "." || place.startsWith(".."))
    throw new ToolFailure(`${path} is no path of the workspace`);
  return place;
}

/** What the step keeps at its end, by its outcome. */
export function wantedUploads({ assignment }: JobContext, { exitStatus }: JobResult): { from: string; to?: string }[] {
  return artifactsOf(assignment).flatMap((config) =>
    exitStatus !== undefined && config["skip-on-status"].includes(exitStatus) ? [] : config.upload,
  );
}
