/** Reports that earlier jobs of the build kept as artifacts. */
import { join } from "node:path";
import { isRefusal } from "#api/errors.ts";
import type { JobContext } from "../job-context.ts";
import { ToolFailure } from "../job-tool/command.ts";
import { fetchFiles } from "../job-tool/fetch-files.ts";
import { toolJob } from "../job-tool/job-tool.ts";
import { untilAnswered } from "../passing.ts";
import { ownFolder } from "../plugins/fetch-plugin.ts";
import { mostReports } from "./read-reports.ts";

export interface WantedReports {
  /** Globs of artifacts. */
  queries: readonly string[];
  /** Below the folder of the agent's own, where they are put under numbers: their own paths may be anything. */
  folder: string;
}

/** Answers how many there were. Throws `ToolFailure` where they cannot be had. */
export async function fetchReports(context: JobContext, { queries, folder }: WantedReports): Promise<number> {
  const { ended, log } = context;
  const job = toolJob(context, "/workspace");
  let count = 0;
  for (const query of queries) {
    const answer = await untilAnswered(() => job.client.searchArtifacts({ query: { query } }), ended);
    if (!answer) return count;
    if (isRefusal(answer)) throw new ToolFailure(answer.message);
    const found = answer.artifacts.slice(0, mostReports - count);
    // Of each job its own: several have kept the same path, and each has other tests in it.
    for (const artifact of found) {
      const place = join(ownFolder, folder, `${count++}.xml`);
      await fetchFiles(job, [artifact], { placeOf: () => place, signal: ended, say: async () => {} });
    }
    await log.say(`${found.length} ${found.length === 1 ? "report is" : "reports are"} found by ${query}`);
  }
  return count;
}

/** What `fetchReports` has put into a folder, as a pattern of the workspace. */
export const fetchedIn = (folder: string): string => join(ownFolder, folder, "*.xml");
