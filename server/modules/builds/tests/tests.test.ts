import { expect, test } from "vitest";
import type { Assignment, JobResult } from "#api/endpoints/agent.ts";
import type { ReportedTest, TestReport } from "#api/endpoints/tests.ts";
import { orThrow } from "#api/errors.ts";
import { files, finish, mustLease, push, show, start, stepOf } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, heldClock, openBuildsPlace } from "#testing/builds-place.ts";

const pipeline = files(
  "steps:\n  - { key: unit, command: test, retry: { automatic: { exit_status: 9, limit: 1 } } }\n",
);
const failed: JobResult = { outcome: "failed", exitStatus: 1 };
const passed: JobResult = { outcome: "passed", exitStatus: 0 };
const dayMs = 24 * 60 * 60 * 1000;

type Brief = Partial<ReportedTest> & { name: string };

const reported = (test: Brief): ReportedTest => ({
  scope: "Cart",
  outcome: "passed",
  flaky: false,
  retries: 0,
  ...test,
});

function report(server: BuildsServer, { job, token }: Assignment, tests: Brief[], more: Partial<TestReport> = {}) {
  const body = { token, part: 0, last: true, faults: [], tests: tests.map(reported), ...more };
  return server.agent.reportTests({ params: { id: job }, body });
}

async function begun(place: BuildsPlace, server: BuildsServer): Promise<Assignment> {
  await push(place, server, { files: pipeline });
  const assignment = await mustLease(server);
  await start(server, assignment);
  return assignment;
}

/** A job whose tests came out so, and its end. */
async function ran(place: BuildsPlace, server: BuildsServer, tests: Brief[], result: JobResult): Promise<Assignment> {
  const assignment = await begun(place, server);
  orThrow(await report(server, assignment, tests));
  await finish(server, assignment, result);
  return assignment;
}

const ofBuild = async (server: BuildsServer, { build }: Assignment, query = {}) =>
  orThrow(await server.admin.listBuildTests({ params: { id: build.id }, query }));
const listed = async (server: BuildsServer, kind: "all" | "failed" | "flaky" | "slow" | "quarantined" = "all") =>
  orThrow(await server.admin.listTests({ params: { name: "orders" }, query: { show: kind } })).tests;

async function quarantine(server: BuildsServer, names: string[], until: Date): Promise<void> {
  for (const { id } of (await listed(server)).filter(({ name }) => names.includes(name)))
    orThrow(
      await server.admin.quarantineTest({
        params: { id },
        body: { owner: "ada", reason: "a race", until: until.toISOString() },
      }),
    );
}

test("the tests of a build are shown with the failed ones first, then flaky, then slow ones", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const tests: Brief[] = [
    { name: "quick", ms: 1 },
    { name: "slow", ms: 900 },
    { name: "shaky", flaky: true, retries: 1, message: "timeout" },
    { name: "later", outcome: "skipped" },
    { name: "broken", outcome: "failed", message: "no", detail: "at cart.js:9", file: "cart.js", line: 9 },
    { name: "worse", outcome: "error" },
  ];
  const job = await ran(place, server, tests, failed);
  const { counts, tests: shown, reports } = await ofBuild(server, job);
  expect(counts).toEqual({ passed: 3, failed: 2, quarantined: 0, skipped: 1, flaky: 1 });
  expect(shown.map(({ name }) => name)).toEqual(["broken", "worse", "shaky", "slow", "quick", "later"]);
  expect(shown[0]).toMatchObject({ step: "unit", message: "no", detail: "at cart.js:9", file: "cart.js", line: 9 });
  expect(reports).toEqual([{ job: job.job, attempt: 1, whole: true, faults: [] }]);
  expect((await ofBuild(server, job, { outcome: "failed", limit: 1, offset: 1 })).tests).toMatchObject([
    { name: "worse" },
  ]);
});

test("parts of a report join, each is taken once, and none without the lease", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const job = await begun(place, server);
  for (const _ of [1, 2]) orThrow(await report(server, job, [{ name: "one" }], { last: false }));
  orThrow(await report(server, job, [{ name: "two" }, { name: "two", scope: "Price" }], { part: 1 }));
  expect((await ofBuild(server, job)).counts).toMatchObject({ passed: 3 });
  await finish(server, job, passed);
  expect(await report(server, job, [{ name: "late" }])).toMatchObject({ refused: "lease.stale" });
});

test("a retry shows the results of the new attempt", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const first = await begun(place, server);
  orThrow(await report(server, first, [{ name: "one", outcome: "failed" }]));
  await finish(server, first, { outcome: "failed", exitStatus: 9 });
  const second = await mustLease(server);
  await start(server, second);
  orThrow(await report(server, second, [{ name: "one" }]));
  await finish(server, second, passed);
  expect((await ofBuild(server, second)).counts).toMatchObject({ passed: 1, failed: 0 });
  // The same commit failed and passed.
  expect(await listed(server, "flaky")).toMatchObject([{ name: "one", runs: 2, failures: 1, flakyCommits: 1 }]);
});

test("a test that fails on one commit and passes on another is not flaky, but known to have failed", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  await ran(
    place,
    server,
    [
      { name: "one", outcome: "failed", ms: 10 },
      { name: "two", ms: 50 },
    ],
    failed,
  );
  await ran(
    place,
    server,
    [
      { name: "one", ms: 30 },
      { name: "two", ms: 70 },
    ],
    passed,
  );
  expect(await listed(server, "flaky")).toEqual([]);
  expect(await listed(server, "failed")).toMatchObject([{ name: "one", runs: 2, failures: 1, averageMs: 20 }]);
  expect((await listed(server, "slow")).map(({ name }) => name)).toEqual(["two", "one"]);
  const [one] = await listed(server, "failed");
  const { history } = orThrow(await server.admin.showTest({ params: { id: one?.id ?? 0 } }));
  expect(history.map(({ number, outcome }) => [number, outcome])).toEqual([
    [2, "passed"],
    [1, "failed"],
  ]);
});

test("when all tests that failed are in quarantine the step has failed softly, and the build passes", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  await ran(
    place,
    server,
    [{ name: "one", outcome: "failed" }, { name: "two", outcome: "error" }, { name: "three" }],
    failed,
  );
  await quarantine(server, ["one", "two"], new Date(clock.now().getTime() + 10 * dayMs));
  const soft = await ran(
    place,
    server,
    [{ name: "one", outcome: "failed" }, { name: "two", outcome: "failed" }, { name: "three" }],
    failed,
  );
  const build = await show(server, soft.build.id);
  expect(build.outcome).toBe("passed");
  expect(stepOf(build, "unit")).toMatchObject({
    outcome: "soft-failed",
    reason: "all 2 tests that failed are in quarantine",
  });
  expect((await ofBuild(server, soft)).counts).toMatchObject({ failed: 0, quarantined: 2, passed: 1 });
  const hard = await ran(
    place,
    server,
    [
      { name: "one", outcome: "failed" },
      { name: "three", outcome: "failed" },
    ],
    failed,
  );
  expect((await show(server, hard.build.id)).outcome).toBe("failed");
});

test("a quarantine excuses nothing else: no other trouble, no report that is not whole, no failure without a failed test", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const one: Brief = { name: "one", outcome: "failed" };
  await ran(place, server, [one], failed);
  await quarantine(server, ["one"], new Date(clock.now().getTime() + 10 * dayMs));
  const outcomeOf = async ({ build }: Assignment) => (await show(server, build.id)).outcome;
  expect(await outcomeOf(await ran(place, server, [one], { ...failed, reason: "it ran out of memory" }))).toBe(
    "failed",
  );
  expect(await outcomeOf(await ran(place, server, [{ name: "one" }], failed))).toBe("failed");
  expect(await outcomeOf(await ran(place, server, [one], { outcome: "failed" }))).toBe("failed");
  for (const more of [{ last: false }, { faults: ["unit.xml: it ends too early"] }]) {
    const job = await begun(place, server);
    orThrow(await report(server, job, [one], more));
    await finish(server, job, failed);
    expect(await outcomeOf(job)).toBe("failed");
  }
});

test("a quarantine ends by itself on its date, or by hand, and is told of", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const one: Brief = { name: "one", outcome: "failed" };
  await ran(place, server, [one, { name: "two" }], failed);
  await quarantine(server, ["one", "two"], new Date(clock.now().getTime() + dayMs));
  expect(await listed(server, "quarantined")).toMatchObject([
    { name: "one", quarantine: { owner: "ada", reason: "a race", by: "admin" } },
    { name: "two" },
  ]);
  const [, two] = await listed(server, "quarantined");
  orThrow(await server.admin.releaseTest({ params: { id: two?.id ?? 0 } }));
  expect(await server.admin.releaseTest({ params: { id: two?.id ?? 0 } })).toMatchObject({ refused: "not-found" });
  clock.advance(dayMs);
  expect(await listed(server, "quarantined")).toEqual([]);
  expect((await show(server, (await ran(place, server, [one], failed)).build.id)).outcome).toBe("failed");
  const told = await place.events("builds.test-quarantine-changed");
  expect(told.map(({ name, until }) => [name, until !== null])).toEqual([
    ["one", true],
    ["two", true],
    ["two", false],
  ]);
});

test("a quarantine has an end within 90 days, an owner and a reason, and is for developers", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  await ran(place, server, [{ name: "one" }], passed);
  const [one] = await listed(server);
  const params = { id: one?.id ?? 0 };
  const body = (days: number) => ({
    ...{ owner: "ada", reason: "a race" },
    until: new Date(Date.now() + days * dayMs).toISOString(),
  });
  for (const days of [-1, 91])
    expect(await server.admin.quarantineTest({ params, body: body(days) })).toMatchObject({
      refused: "tests.bad-expiry",
    });
  expect(await server.admin.quarantineTest({ params, body: { ...body(1), owner: " " } })).toMatchObject({
    refused: "request.invalid",
  });
  expect(await server.admin.quarantineTest({ params: { id: 999_999 }, body: body(1) })).toMatchObject({
    refused: "not-found",
  });
  const viewer = await server.as("viewer");
  expect(await viewer.quarantineTest({ params, body: body(1) })).toMatchObject({ refused: "auth.forbidden" });
});

test("results go when they are older than the rule, and tests that nobody knows any more with them", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock, testDays: 30 });
  const old = await ran(place, server, [{ name: "old" }, { name: "kept" }], passed);
  await quarantine(server, ["kept"], new Date(clock.now().getTime() + 60 * dayMs));
  clock.advance(31 * dayMs);
  const young = await ran(place, server, [{ name: "young" }], passed);
  await server.builds.removeOld();
  expect((await ofBuild(server, old)).counts).toMatchObject({ passed: 0 });
  expect((await ofBuild(server, young)).counts).toMatchObject({ passed: 1 });
  const left = await place.query("select name from build_tests order by name");
  expect(left).toEqual([{ name: "kept" }, { name: "young" }]);
});
