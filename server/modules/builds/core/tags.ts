const defaultQueue = { queue: "default" };

/** Tags that an agent must have for a job; one that names no queue belongs to the default one, as in Buildkite. */
export const jobTags = (agents: Record<string, string>): Record<string, string> => ({ ...defaultQueue, ...agents });

/** Tags that an agent offers. */
export const agentTags = (tags: Record<string, string>): Record<string, string> => ({ ...defaultQueue, ...tags });

/** Whether the agent has every tag that the job asks for. */
export function serves(agent: Record<string, string>, job: Record<string, string>): boolean {
  return Object.entries(job).every(([name, value]) => agent[name] === value);
}
