/** What people see of agents and of the queues that they serve. */
import { z } from "zod";
import { anyRole, endpoints } from "../endpoint.ts";
import { repositoryName, uuid } from "../names.ts";

const agentJob = z.object({
  build: uuid,
  repository: repositoryName,
  number: z.int().positive(),
  step: z.string(),
});

export const agentView = z.object({
  name: z.string(),
  tags: z.record(z.string(), z.string()),
  /** `lost`: not heard of for a minute; what it held goes to others. */
  state: z.enum(["idle", "busy", "lost"]),
  lastSeenAt: z.iso.datetime(),
  jobs: z.array(agentJob),
});

export const queueView = z.object({
  name: z.string(),
  /** Agents of the queue that were heard of lately. */
  agents: z.int(),
  /** Jobs that an agent holds. */
  running: z.int(),
  /** Jobs that could begin. */
  waiting: z.int(),
  /** Those of them whose tags no agent has. */
  unserved: z.int(),
});

export const agentViewEndpoints = endpoints({
  listAgents: {
    method: "GET",
    path: "/api/agents",
    summary:
      "Agents that were heard of in the last 7 days, at most 500, with what they do; and what waits in each queue.",
    auth: { roles: anyRole },
    response: z.object({ agents: z.array(agentView), queues: z.array(queueView) }),
  },
});
