import fc from "fast-check";
import { expect, test } from "vitest";
import { agentTags, jobTags, serves } from "./tags.ts";

test("an agent without a queue serves jobs without one, and no others", () => {
  expect(serves(agentTags({ os: "linux" }), jobTags({}))).toBe(true);
  expect(serves(agentTags({}), jobTags({ queue: "deploy" }))).toBe(false);
  expect(serves(agentTags({ queue: "deploy" }), jobTags({}))).toBe(false);
});

test("an agent serves a job exactly when adding the job's tags to its own changes nothing", () => {
  const tags = fc.dictionary(fc.constantFrom("os", "gpu", "queue"), fc.constantFrom("1", "2"));
  fc.assert(
    fc.property(tags, tags, (agent, job) => {
      const [has, wants] = [agentTags(agent), jobTags(job)];
      const same = JSON.stringify(Object.entries({ ...has, ...wants }).toSorted());
      expect(serves(has, wants)).toBe(same === JSON.stringify(Object.entries(has).toSorted()));
    }),
  );
});
