import { newSecret } from "#kernel/clock.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import {
  appendLog,
  files,
  finish,
  lease,
  mustLease,
  push,
  show,
  standing,
  start,
  stepOf,
  work,
} from "#testing/build-hands.ts";
import { heldClock, openBuildsPlace } from "#testing/builds-place.ts";

const oneCommand = files("steps:\n  - { key: unit, command: test }\n");
const passed = { outcome: "passed", exitStatus: 0 } as const;

test("an assignment says all that the job needs", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = `
env: { STAGE: ci }
steps:
  - { key: unit, label: Unit, command: [npm ci, npm test], env: { LEVEL: "2" }, image: "node:24", timeout_in_minutes: 3, cache: node_modules, plugins: ["acme/llamas#v1"] }
`;
  const { id, commit } = await push(place, server, { files: files(pipeline) });
  const assignment = await mustLease(server);
  expect(assignment).toMatchObject({
    ...{ attempt: 1, leaseMs: 15_000, timeoutMs: 180_000, label: "Unit" },
    work: {
      kind: "command",
      commands: ["npm ci", "npm test"],
      image: "node:24",
      plugins: [{ source: "acme/llamas#v1", config: null }],
    },
    build: { id, number: 1, repository: "orders", branch: "main", commit, message: "change 1" },
    env: {
      ...{ STAGE: "ci", LEVEL: "2", CI: "true", BUILDKITE: "true" },
      ...{ BUILDKITE_BRANCH: "main", BUILDKITE_COMMIT: commit, BUILDKITE_BUILD_NUMBER: "1" },
      ...{ BUILDKITE_MESSAGE: "change 1", BUILDKITE_PIPELINE_SLUG: "orders", BUILDKITE_STEP_KEY: "unit" },
      ...{ BUILDKITE_RETRY_COUNT: "0", TOWLINE_SERVICE: "orders", TOWLINE_BUILD_ID: id },
    },
    secrets: { API_KEY: "hush" },
    cache: { paths: ["node_modules"], key: "node_modules", restoreKeys: [] },
  });
  expect(assignment.credentials.password).toMatch(/^tw_/);
});

test("a waiting agent is woken by a push", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const waiting = lease(server, { waitMs: 20_000 });
  await push(place, server, { files: oneCommand });
  expect((await waiting)?.build.number).toBe(1);
});

test("an agent that hung up leaves the job to the next", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const gone = new AbortController();
  const call = server.agent.leaseJob(
    { body: { agent: "gone", token: newSecret(), waitMs: 20_000 } },
    { signal: gone.signal },
  );
  setTimeout(() => gone.abort(), 50);
  await expect(call).rejects.toThrow();
  const { id } = await push(place, server, { files: oneCommand });
  expect((await mustLease(server)).attempt).toBe(1);
  expect(stepOf(await show(server, id), "unit").attempts.map(({ agent }) => agent)).toEqual(["a1"]);
});

test("an agent whose answer got lost asks by the same token again and gets the same attempt", async () => {
  await using place = await openBuildsPlace();
  const [server, restarted] = [await place.server(), await place.server()];
  await push(place, server, { files: oneCommand });
  const token = newSecret();
  const first = await mustLease(server, { token });
  const again = await mustLease(restarted, { token });
  expect([again.job, again.attempt, again.token]).toEqual([first.job, first.attempt, token]);
  expect(await lease(restarted)).toBeNull();
});

test("a job goes to an agent with its tags, and to no other", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = 'steps:\n  - { key: unit, command: test, agents: { os: linux, gpu: "1" } }\n';
  const { id } = await push(place, server, { files: files(pipeline) });
  expect(await lease(server, { tags: { os: "linux" } })).toBeNull();
  expect(stepOf(await show(server, id), "unit").waits).toEqual([
    { reason: { kind: "no-agent", tags: { queue: "default", os: "linux", gpu: "1" } }, text: expect.any(String) },
  ]);
  expect(await lease(server, { tags: { os: "linux", gpu: "1", queue: "other" } })).toBeNull();
  expect(await lease(server, { tags: { os: "linux", gpu: "1", cpu: "8" } })).not.toBeNull();
});

test("a job that waits for one of the connected agents says so", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  await lease(server);
  const { id } = await push(place, server, { files: oneCommand });
  expect(stepOf(await show(server, id), "unit").waits).toEqual([
    { reason: { kind: "agent" }, text: "for a free agent" },
  ]);
  expect(await server.builds.unfinished()).toMatchObject([{ id, waits: [{ step: "unit", text: "for a free agent" }] }]);
});

test("no job starts below the disk floor, and the step says why", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server({ diskFloor: Number.MAX_SAFE_INTEGER });
  const { id } = await push(place, server, { files: oneCommand });
  expect(await lease(server)).toBeNull();
  expect(stepOf(await show(server, id), "unit").waits[0]?.reason).toEqual({ kind: "disk-full" });
});

test("a job whose secrets cannot be opened fails with the reason", async () => {
  await using place = await openBuildsPlace();
  const fleet = { jobSecrets: () => Promise.reject(new Error("sealed with another key")) };
  const server = await place.server({ fleet });
  const { id } = await push(place, server, { files: oneCommand });
  expect(await lease(server)).toBeNull();
  expect(stepOf(await show(server, id), "unit").reason).toContain("sealed with another key");
});

test("saying the same end twice is taken as done", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: oneCommand });
  const assignment = await mustLease(server);
  await start(server, assignment);
  await start(server, assignment);
  await finish(server, assignment, passed);
  await finish(server, assignment, passed);
  expect(await show(server, id)).toMatchObject({ outcome: "passed" });
  expect(await place.events("builds.job-finished")).toMatchObject([{ key: "unit", attempt: 1, outcome: "passed" }]);
});

test("a lost agent's token opens nothing any more, and its job goes to another", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock, times: { leaseMs: 15_000, graceMs: 5_000, sweepMs: 3_600_000 } });
  const { id } = await push(place, server, { files: oneCommand });
  const lost = await mustLease(server, { agent: "lost" });
  await start(server, lost);
  for (const _ of [1, 2, 3]) await server.passTime(7_000);
  expect(stepOf(await show(server, id), "unit")).toMatchObject({
    state: "runnable",
    attempts: [{ agent: "lost", outcome: "lost" }],
  });
  const next = await mustLease(server, { agent: "next" });
  expect(next).toMatchObject({ job: lost.job, attempt: 2 });
  const { token } = lost;
  const params = { id: lost.job };
  const stale = { refused: "lease.stale" };
  expect(await server.agent.startJob({ params, body: { token } })).toMatchObject(stale);
  expect(await server.agent.renewLease({ params, body: { token } })).toMatchObject(stale);
  expect(await appendLog(server, lost, { offset: 0, text: "late" })).toMatchObject(stale);
  expect(await server.agent.finishJob({ params, body: { token, result: passed } })).toMatchObject(stale);
  await finish(server, next, { outcome: "failed", exitStatus: 3 });
  expect(await show(server, id)).toMatchObject({ outcome: "failed" });
});

test("an agent that was started anew keeps what it took up again, and is told where its log goes on", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const two = files("steps:\n  - { key: one, command: test }\n  - { key: two, command: test }\n");
  const { id } = await push(place, server, { files: two });
  const kept = await mustLease(server, { agent: "a", instance: "first" });
  const gone = await mustLease(server, { agent: "a", instance: "first" });
  for (const job of [kept, gone]) await start(server, job);
  const params = { id: kept.job };
  orThrow(await appendLog(server, kept, { offset: 0, text: "hello\n" }));

  const standsAt = await server.agent.resumeJob({ params, body: { token: kept.token } });
  expect(standsAt).toEqual({ offset: 6 });
  const again = await lease(server, { agent: "a", instance: "second", holds: [kept.token] });
  expect(again).toMatchObject({ job: gone.job, attempt: 2 });
  expect(standing(await show(server, id))).toBe("one running, two leased");
  await finish(server, kept, passed);
  expect(await server.agent.resumeJob({ params, body: { token: kept.token } })).toMatchObject({
    refused: "lease.stale",
  });
});

test("an agent that was started anew has lost what it had, at once, and keeps what it leases then", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: oneCommand });
  const before = await mustLease(server, { agent: "a", instance: "first" });
  expect(await lease(server, { agent: "a", instance: "first" })).toBeNull();
  const { job, token } = before;
  const [one, other] = await Promise.all([1, 2].map(() => lease(server, { agent: "a", instance: "second" })));
  const after = one ?? other;
  expect(after).toMatchObject({ job, attempt: 2 });
  expect(await lease(server, { agent: "a", instance: "second" })).toBeNull();
  expect(await server.agent.renewLease({ params: { id: job }, body: { token } })).toMatchObject({
    refused: "lease.stale",
  });
  if (after) await finish(server, after, passed);
  expect(await show(server, id)).toMatchObject({ outcome: "passed" });
});

test("an agent that stops gives back what it holds at once, and is not waited for", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: oneCommand });
  const { job, token } = await mustLease(server, { agent: "a", instance: "now" });
  orThrow(await server.agent.stopAgent({ body: { agent: "a", instance: "before" } }));
  expect(stepOf(await show(server, id), "unit").state).toBe("leased");
  for (const _ of [1, 2]) orThrow(await server.agent.stopAgent({ body: { agent: "a", instance: "now" } }));
  expect(stepOf(await show(server, id), "unit")).toMatchObject({
    state: "runnable",
    attempts: [{ agent: "a", outcome: "lost", reason: "the agent a was stopped" }],
    waits: [{ reason: { kind: "no-agent" } }],
  });
  expect(await server.agent.renewLease({ params: { id: job }, body: { token } })).toMatchObject({
    refused: "lease.stale",
  });
  expect(await mustLease(server, { agent: "b" })).toMatchObject({ job, attempt: 2 });
});

test("a lease that is renewed lasts, and an agent's time to clean up is waited for", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const { id } = await push(place, server, { files: oneCommand });
  const { job, token } = await mustLease(server);
  const renew = () => server.agent.renewLease({ params: { id: job }, body: { token } });
  for (const _ of [1, 2, 3, 4, 5, 6]) {
    await server.passTime(7_000);
    expect(await renew()).toEqual({ cancel: false });
  }
  await server.passTime(7_000);
  await server.passTime(7_000);
  await server.passTime(5_000);
  expect(stepOf(await show(server, id), "unit").state).toBe("leased");
  await server.passTime(2_000);
  expect(stepOf(await show(server, id), "unit").state).toBe("runnable");
});

test("a server that was away gives every lease its whole length again", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const { id } = await push(place, server, { files: oneCommand });
  const { job, token } = await mustLease(server);
  await server.passTime(600_000);
  expect(orThrow(await server.agent.renewLease({ params: { id: job }, body: { token } }))).toEqual({ cancel: false });
  expect(stepOf(await show(server, id), "unit").state).toBe("leased");
});

test("a job that loses one agent after the other fails", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const { id } = await push(place, server, { files: oneCommand });
  for (const _ of [1, 2, 3, 4, 5]) {
    await mustLease(server);
    for (const __ of [1, 2, 3]) await server.passTime(7_000);
  }
  const build = await show(server, id);
  expect(build.outcome).toBe("failed");
  expect(stepOf(build, "unit").attempts.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 5 }, () => "lost"));
});

test("older builds get agents first", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const two = files("steps:\n  - { key: a, command: a }\n  - { key: b, command: b }\n");
  await push(place, server, { files: two });
  await push(place, server, { repository: "cart", files: two });
  const order: string[] = [];
  for (const _ of [1, 2, 3, 4]) {
    const { build, env } = await work(server);
    order.push(`${build.repository} ${env["BUILDKITE_STEP_KEY"]}`);
  }
  expect(order).toEqual(["orders a", "orders b", "cart a", "cart b"]);
});

test("however many agents ask at once, at however many servers, no job is given twice", async () => {
  await using place = await openBuildsPlace();
  const servers = [await place.server(), await place.server()];
  const [first] = servers;
  const scenario = fc.record({
    builds: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    agents: fc.integer({ min: 1, max: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ builds, agents }) => {
      if (!first) return;
      let open = 0;
      for (const jobs of builds) {
        const steps = Array.from({ length: jobs }, (_, index) => `  - { key: s${index}, command: x }`);
        await push(place, first, { files: files(`steps:\n${steps.join("\n")}\n`) });
        open += jobs;
      }
      const given: string[] = [];
      const agent = async (index: number) => {
        const server = servers[index % servers.length] ?? first;
        for (let misses = 0; given.length < open && misses < 50;) {
          const assignment = await lease(server, { agent: `a${index}` });
          misses = assignment ? 0 : misses + 1;
          if (!assignment) continue;
          given.push(assignment.job);
          await finish(server, assignment, passed);
        }
      };
      await Promise.all(Array.from({ length: agents }, (_, index) => agent(index)));
      expect(given.length).toBe(open);
      expect(new Set(given).size).toBe(open);
    }),
    { numRuns: 8 },
  );
  const ended = orThrow(await servers[0]!.admin.listBuilds({ query: { limit: 200 } })).builds;
  expect(new Set(ended.map(({ outcome }) => outcome))).toEqual(new Set(["passed"]));
});

test("standing of a step while an agent has it", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: oneCommand });
  const assignment = await mustLease(server);
  expect(standing(await show(server, id))).toBe("unit leased");
  await start(server, assignment);
  expect(standing(await show(server, id))).toBe("unit running");
});

test("people see which agent is at work on what, which is lost, and what waits that no agent can take", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const mac = "steps:\n  - { key: unit, command: test }\n  - { key: mac, command: test, agents: { os: mac } }\n";
  const { id } = await push(place, server, { files: files(mac) });
  expect(await lease(server, { agent: "old", tags: { queue: "other" } })).toBeNull();
  clock.advance(120_000);
  await mustLease(server, { agent: "a1" });
  expect(await lease(server, { agent: "a2" })).toBeNull();
  const viewer = await server.as("viewer");
  const { agents, queues } = orThrow(await viewer.listAgents({}));
  expect(agents.map(({ name, state, jobs }) => ({ name, state, jobs }))).toEqual([
    { name: "a1", state: "busy", jobs: [{ build: id, repository: "orders", number: 1, step: "unit" }] },
    { name: "a2", state: "idle", jobs: [] },
    { name: "old", state: "lost", jobs: [] },
  ]);
  expect(queues).toEqual([{ name: "default", agents: 2, running: 1, waiting: 1, unserved: 1 }]);
});
