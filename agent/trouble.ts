import type { JobResult } from "#api/endpoints/agent.ts";

/** What an unexpected error says, short enough for a report. */
export function troubleOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().slice(0, 1_500);
}

/** The step has not failed: what was to run it has. There is no exit status then. */
export function brokenJob(agent: string, error: unknown): JobResult {
  return { outcome: "failed", reason: `the agent ${agent} could not run it to its end: ${troubleOf(error)}` };
}
