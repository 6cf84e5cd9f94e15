import fc from "fast-check";
import { expect, test } from "vitest";
import { matchJobs } from "./matching.ts";
import { serves } from "./tags.ts";

const tags = fc.dictionary(fc.constantFrom("queue", "os", "gpu"), fc.constantFrom("a", "b"));
const some = fc.array(tags, { maxLength: 12 }).map((each) => each.map((tags, id) => ({ id, tags })));

test("a job goes to the agent that asked first and has its tags; nobody gets two", () => {
  fc.assert(
    fc.property(some, some, (jobs, agents) => {
      const matches = matchJobs(jobs, agents);
      expect(new Set(matches.map(({ agent }) => agent)).size).toBe(matches.length);
      expect(matches.map(({ job }) => job.id)).toEqual(matches.map(({ job }) => job.id).toSorted((a, b) => a - b));
      for (const [index, { job, agent }] of matches.entries()) {
        const taken = new Set(matches.slice(0, index).map((match) => match.agent));
        const first = agents.find((each) => !taken.has(each) && serves(each.tags, job.tags));
        expect(agent).toBe(first);
      }
    }),
  );
});

test("a job is left only when no agent is that could do it", () => {
  fc.assert(
    fc.property(some, some, (jobs, agents) => {
      const matches = matchJobs(jobs, agents);
      const given = new Set(matches.map(({ job }) => job));
      const busy = new Set(matches.map(({ agent }) => agent));
      for (const job of jobs)
        for (const agent of agents)
          expect(given.has(job) || busy.has(agent) || !serves(agent.tags, job.tags)).toBe(true);
    }),
  );
});
