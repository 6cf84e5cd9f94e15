/** Who gets which job. */
import { serves } from "./tags.ts";

type Tags = Record<string, string>;

export interface Match<Job, Agent> {
  job: Job;
  agent: Agent;
}

/** Jobs in their order, each to the first agent in the order of asking that has its tags. Nobody gets two. */
export function matchJobs<Job extends { tags: Tags }, Agent extends { tags: Tags }>(
  jobs: readonly Job[],
  agents: readonly Agent[],
): Match<Job, Agent>[] {
  const free = new Set(agents);
  const matches: Match<Job, Agent>[] = [];
  for (const job of jobs) {
    const agent = firstThat(free, ({ tags }) => serves(tags, job.tags));
    if (!agent) continue;
    free.delete(agent);
    matches.push({ job, agent });
  }
  return matches;
}

function firstThat<T>(values: Iterable<T>, wanted: (value: T) => boolean): T | undefined {
  for (const value of values) if (wanted(value)) return value;
  return undefined;
}
