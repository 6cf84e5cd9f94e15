/** Agents and queues as people see them. */
import type { z } from "zod";
import type { agentView, queueView } from "#api/endpoints/agents.ts";
import type { AgentRow } from "./rows.ts";
import { serves } from "./tags.ts";

export interface Lease {
  agent: string;
  tags: Record<string, string>;
  build: string;
  repository: string;
  number: number;
  step: string;
}

export interface Standing {
  agents: readonly Pick<AgentRow, "name" | "tags" | "last_seen">[];
  leases: readonly Lease[];
  /** Jobs that could begin, by their tags. */
  waiting: readonly { tags: Record<string, string>; jobs: number }[];
}

type AgentView = z.output<typeof agentView>;
type QueueView = z.output<typeof queueView>;

/** Whoever was not heard of since `nearSince` is lost. */
export function viewAgents({ agents, leases, waiting }: Standing, nearSince: Date) {
  const near = agents.filter(({ last_seen: seen }) => seen > nearSince);
  const sum = (rows: readonly { jobs: number }[]) => rows.reduce((all, { jobs }) => all + jobs, 0);
  const of = (queue: string) => (each: { tags: Record<string, string> }) => each.tags["queue"] === queue;
  const names = [...near, ...leases, ...waiting].flatMap(({ tags }) => tags["queue"] ?? []);
  const queues = [...new Set(names)].toSorted().map((name): QueueView => {
    const ready = waiting.filter(of(name));
    const unserved = ready.filter(({ tags }) => !near.some((agent) => serves(agent.tags, tags)));
    return {
      ...{ name, agents: near.filter(of(name)).length, running: leases.filter(of(name)).length },
      ...{ waiting: sum(ready), unserved: sum(unserved) },
    };
  });
  return { agents: agents.map((agent) => viewAgent(agent, leases, near.includes(agent))), queues };
}

function viewAgent(
  { name, tags, last_seen: seen }: Standing["agents"][number],
  leases: readonly Lease[],
  isNear: boolean,
) {
  const jobs = leases
    .filter(({ agent }) => agent === name)
    .map(({ build, repository, number, step }) => ({ build, repository, number, step }));
  const state: AgentView["state"] = isNear ? (jobs.length > 0 ? "busy" : "idle") : "lost";
  return { name, tags, state, lastSeenAt: seen.toISOString(), jobs };
}
