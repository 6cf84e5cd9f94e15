import type { JobResult } from "#api/endpoints/agent.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { toolJob } from "./job-tool/job-tool.ts";
import { keepFiles } from "./job-tool/keep-files.ts";
import { wantedUploads } from "./plugins/artifacts-plugin.ts";
import type { JobContext } from "./job-context.ts";

const keptMs = 30 * 60_000;
const keptAfterCancelMs = 60_000;

/** Keeps what `artifact_paths` of the step and its plugin `artifacts` name, also when it failed. Answers why that was not possible. */
export async function keepArtifacts(context: JobContext, result: JobResult): Promise<Refusal | undefined> {
  const { assignment, ended, log } = context;
  const paths = (assignment.artifactPaths ?? [])
    .flatMap((each) => each.split(";"))
    .map((from) => ({ from: from.trim() }));
  const wanted = [...paths, ...wantedUploads(context, result)];
  if (wanted.length === 0 || ended.reason === "lease-lost" || ended.reason === "abandoned") return undefined;
  await log.say("~~~ Artifacts");
  const kept = await keepFiles(toolJob(context, "/workspace"), {
    ...{ folder: "/workspace", wanted, say: log.say },
    signal: AbortSignal.timeout(ended.aborted ? keptAfterCancelMs : keptMs),
  });
  return isRefusal(kept) ? kept : undefined;
}
