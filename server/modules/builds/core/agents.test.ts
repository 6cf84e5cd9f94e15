import { expect, test } from "vitest";
import { type Standing, viewAgents } from "./agents.ts";

const at = (second: number) => new Date(Date.UTC(2026, 0, 5, 12, 0, second));
const agent = (name: string, seen: number, tags: Record<string, string> = {}) => ({
  ...{ name, tags: { queue: "default", ...tags }, last_seen: at(seen) },
});
const lease = (of: string) => ({
  ...{ agent: of, tags: { queue: "default" }, build: "b", repository: "orders", number: 3, step: "unit" },
});

test("an agent with a job is busy, one without is idle, and one that is not heard of is lost, with the job that it still holds", () => {
  const agents = [agent("one", 50), agent("two", 50), agent("three", 5)];
  const view = viewAgents({ agents, leases: [lease("one"), lease("three")], waiting: [] }, at(30));
  expect(view.agents.map(({ name, state, jobs }) => [name, state, jobs.length])).toEqual([
    ["one", "busy", 1],
    ["two", "idle", 0],
    ["three", "lost", 1],
  ]);
  expect(view.queues).toEqual([{ name: "default", agents: 2, running: 2, waiting: 0, unserved: 0 }]);
});

test("a queue tells which of its waiting jobs no agent can take", () => {
  const waiting: Standing["waiting"] = [
    { tags: { queue: "default" }, jobs: 4 },
    { tags: { queue: "default", os: "mac" }, jobs: 2 },
    { tags: { queue: "gpu" }, jobs: 1 },
  ];
  const view = viewAgents({ agents: [agent("one", 50), agent("gone", 5, { os: "mac" })], leases: [], waiting }, at(30));
  expect(view.queues).toEqual([
    { name: "default", agents: 1, running: 0, waiting: 6, unserved: 2 },
    { name: "gpu", agents: 0, running: 0, waiting: 1, unserved: 1 },
  ]);
});
