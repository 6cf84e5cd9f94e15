import type { AgentOptions } from "#agent/agent-options.ts";

/** What an agent of a test is given where the test says nothing else. */
export const usualOptions = {
  capacity: 1,
  tags: {},
  defaultImage: "none",
  diskFloor: 0,
  limits: { processes: 512 },
  cacheSize: 2 ** 30,
  enginePatienceMs: 60_000,
} satisfies Partial<AgentOptions>;
