import { createHash } from "node:crypto";
import { beforeEach, afterEach, expect, test } from "vitest";
import type { Assignment, JobResult } from "#api/endpoints/agent.ts";
import type { BuildDetails } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import { appendLog, files, finish, lease, mustLease, push, show, standing, start } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, type HeldClock, openBuildsPlace } from "#testing/builds-place.ts";

const dayMs = 24 * 60 * 60 * 1000;
const image = (digit: string) => ({ image: "node:24", id: `sha256:${digit.repeat(64)}` });
const passed: JobResult = { outcome: "passed", exitStatus: 0, ran: image("a") };
const pipeline = `steps:
  - { key: unit, command: make test, inputs: "src/**" }
`;
const withMore = `${pipeline}  - wait\n  - { key: pack, command: make pack }\n`;

let place: BuildsPlace;
let clock: HeldClock;
let server: BuildsServer;

beforeEach(async () => {
  place = await openBuildsPlace();
  clock = movedClock();
  server = await place.server({ clock, logRules: { days: 30, room: 1e9 } });
});

afterEach(() => place?.[Symbol.asyncDispose]());

/** The true time, by which the tokens of jobs are judged, and what was added to it. */
function movedClock(): HeldClock {
  let ahead = 0;
  return { now: () => new Date(Date.now() + ahead), advance: (ms) => void (ahead += ms) };
}

interface Change {
  source?: string;
  readme?: string;
  branch?: string;
  text?: string;
}

const pushed = ({ source = "1", readme = "1", branch = "main", text = pipeline }: Change = {}) =>
  push(place, server, { branch, files: { ...files(text), "src/a.js": source, "README.md": readme } });

/** Does the next job and leaves what jobs leave: a log, a file, a test. */
async function work(result: JobResult = passed): Promise<Assignment> {
  const job = await mustLease(server);
  await start(server, job);
  orThrow(await appendLog(server, job, { offset: 0, text: "--- tests\nall well\n" }));
  await keep(job, "report.txt", "42");
  const tested = { scope: "Cart", name: "adds", outcome: "passed" as const, flaky: false, retries: 0 };
  const body = { token: job.token, part: 0, last: true, faults: [], tests: [tested] };
  orThrow(await server.agent.reportTests({ params: { id: job.job }, body }));
  await finish(server, job, result);
  return job;
}

async function keep(job: Assignment, path: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const hex = (algorithm: string) => createHash(algorithm).update(bytes).digest("hex");
  const body = { path, size: bytes.length, sha1: hex("sha1"), digest: `sha256:${hex("sha256")}`, contentType: "a/b" };
  const { id, at } = orThrow(await server.job(job).createArtifact({ body }));
  if (at === null) return;
  const headers = { authorization: `Bearer ${job.credentials.password}`, "content-type": "application/octet-stream" };
  const sent = await fetch(`${server.url}/api/job/artifacts/${id}/content`, { method: "PUT", headers, body: bytes });
  expect(sent.status).toBe(200);
}

/** Whether the first step of a build was taken from an earlier one; a build that is not is brought to its end. */
async function reuses(change?: Change): Promise<boolean> {
  const build = await pushed(change);
  const isReused = build.steps[0]?.attempts[0]?.reused !== null && build.steps[0]?.outcome === "passed";
  await server.admin.cancelBuild({ params: { id: build.id } });
  return isReused;
}

const artifactsOf = async ({ id }: BuildDetails) =>
  orThrow(await server.admin.listArtifacts({ params: { id }, query: {} })).artifacts;

test("a step whose inputs are unchanged does not run again: its log, files and tests are the new build's too", async () => {
  const first = await pushed({ text: withMore });
  const ran = await work();
  const second = await pushed({ text: withMore, readme: "2" });
  expect(standing(second)).toBe("unit passed, pack runnable");
  const [unit] = second.steps;
  const reused = { build: first.id, number: 1, job: ran.job, attempt: 1 };
  expect(unit).toMatchObject({ reason: "reused from build #1", exitStatus: 0 });
  expect(unit?.attempts).toMatchObject([{ number: 1, agent: null, outcome: "passed", startedAt: null, reused }]);
  const job = unit?.job ?? "";
  expect(job).not.toBe(ran.job);
  expect(await server.admin.readJobLog({ params: { id: job } })).toEqual({
    ...{ attempt: 1, data: "--- tests\nall well\n", next: 19, complete: true },
  });
  expect(orThrow(await server.admin.readJobLogLines({ params: { id: job } })).lines).toHaveLength(2);
  expect(orThrow(await server.admin.listJobLogGroups({ params: { id: job } })).groups).toMatchObject([
    { title: "tests" },
  ]);
  expect(
    orThrow(await server.admin.searchJobLog({ params: { id: job }, query: { text: "well" } })).matches,
  ).toHaveLength(1);
  const [artifact] = await artifactsOf(second);
  expect(artifact).toMatchObject({ path: "report.txt", job, step: "unit", attempt: 1 });
  expect(await server.builds.evidence(second.id)).toMatchObject([{ key: "unit", outcome: "passed", reusedFrom: 1 }]);
  const headers = { authorization: `Bearer ${(await mustLease(server)).credentials.password}` };
  expect(await (await fetch(`${server.url}/api/artifacts/${artifact?.id}/content`, { headers })).text()).toBe("42");
  const tests = orThrow(await server.admin.listBuildTests({ params: { id: second.id }, query: {} }));
  expect(tests).toMatchObject({ counts: { passed: 1 }, tests: [{ name: "adds", job, attempt: 1, step: "unit" }] });
  const { stored, replayed } = await place.states(second.id);
  expect(replayed).toEqual(stored);
});

test("a build of which nothing runs ends at once; the build that really ran is named, however often its result was used", async () => {
  const text =
    "steps:\n  - { key: a, command: a, inputs: '**.js' }\n  - wait\n  - { key: b, command: b, inputs: '**.js' }\n";
  await pushed({ text });
  await work();
  await work();
  for (const readme of ["2", "3"]) {
    const build = await pushed({ text, readme });
    expect(build).toMatchObject({ state: "finished", outcome: "passed" });
    expect(build.startedAt).not.toBeNull();
    expect(build.steps.map(({ reason }) => reason)).toEqual(["reused from build #1", null, "reused from build #1"]);
  }
  expect(await lease(server)).toBeNull();
});

test("whatever decides the result makes it run: a file, the command, what the image stands for now", async () => {
  await pushed();
  await work();
  expect(await reuses({ readme: "2" })).toBe(true);
  expect(await reuses({ source: "2" })).toBe(false);
  expect(await reuses({ text: pipeline.replace("make test", "make check") })).toBe(false);
  // Any job tells what the image is by now.
  const other = { text: "steps:\n  - { key: other, command: x }\n" };
  await pushed(other);
  await work({ ...passed, ran: image("b") });
  expect(await reuses({ readme: "3" })).toBe(false);
  await pushed(other);
  await work({ ...passed, ran: image("a") });
  expect(await reuses({ readme: "3" })).toBe(true);
});

test("only a result that passed serves, for its own branch and those that leave the default branch", async () => {
  await pushed();
  await work({ outcome: "failed", exitStatus: 1 });
  expect(await reuses()).toBe(false);
  await pushed({ branch: "feature" });
  await work();
  expect(await reuses({ branch: "feature" })).toBe(true);
  expect(await reuses({ branch: "other" })).toBe(false);
  expect(await reuses({ branch: "main" })).toBe(false);
  await pushed();
  await work();
  expect(await reuses({ branch: "other" })).toBe(true);
});

test("a person who tries a reused step again makes it run, and its attempts are told apart", async () => {
  await pushed();
  await work();
  const { id } = await pushed({ readme: "2" });
  const retried = orThrow(await server.admin.retryBuild({ params: { id }, body: { step: "unit" } }));
  expect(standing(retried)).toBe("unit runnable");
  const again = await work();
  expect(again.attempt).toBe(2);
  const build = await show(server, id);
  expect(build.steps[0]?.attempts.map(({ number, reused }) => [number, reused?.number ?? null])).toEqual([
    [1, 1],
    [2, null],
  ]);
  expect((await artifactsOf(build)).map(({ attempt }) => attempt)).toEqual([2]);
});

test("a result that is not whole any more does not serve: its log or a file of it was removed, or it is old", async () => {
  await pushed();
  const { job } = await work();
  await place.query(`update build_logs set removed_at = now() where job = '${job}'`);
  expect(await reuses({ readme: "2" })).toBe(false);
  await place.query(`update build_logs set removed_at = null where job = '${job}'`);
  expect(await reuses({ readme: "3" })).toBe(true);
  await place.query(`delete from build_artifacts where job = '${job}'`);
  expect(await reuses({ readme: "4" })).toBe(false);
  await pushed({ source: "2" });
  await work();
  clock.advance(13 * dayMs);
  expect(await reuses({ source: "2", readme: "2" })).toBe(true);
  clock.advance(2 * dayMs);
  await server.builds.removeOld();
  expect(await reuses({ source: "2", readme: "3" })).toBe(false);
  expect(await place.query("select * from build_results")).toEqual([]);
});

test("the log of a reused step goes with the log of the attempt that ran", async () => {
  await pushed();
  await work();
  const { steps } = await pushed({ readme: "2" });
  clock.advance(31 * dayMs);
  await server.builds.removeOld();
  expect(await server.admin.readJobLog({ params: { id: steps[0]?.job ?? "" } })).toMatchObject({
    refused: "log.removed",
  });
});

test.each([
  ["set meta-data", (job: Assignment) => server.job(job).setMetaData({ body: { key: "a", value: "b" } })],
  ["annotated its build", (job: Assignment) => server.job(job).annotate({ body: { body: "well" } })],
  [
    "uploaded steps",
    (job: Assignment) => server.job(job).uploadPipeline({ body: { upload: "u", text: "steps: [{ command: x }]" } }),
  ],
])("a job that %s is not used again: the next build would lack that", async (_, act) => {
  await pushed();
  const job = await mustLease(server);
  await start(server, job);
  orThrow(await act(job));
  await finish(server, job, passed);
  expect(await reuses({ readme: "2" })).toBe(false);
});

test("steps that a job uploads may be used again too", async () => {
  const text = "steps:\n  - { key: make, command: make }\n";
  const uploaded = "steps:\n  - { key: unit, command: test, inputs: 'src/*' }\n";
  async function upload(readme: string) {
    const { id } = await pushed({ text, readme });
    const job = await mustLease(server);
    await start(server, job);
    orThrow(await server.job(job).uploadPipeline({ body: { upload: "u", text: uploaded } }));
    await finish(server, job, passed);
    return id;
  }
  await upload("1");
  await work();
  expect(standing(await show(server, await upload("2")))).toBe("make passed, unit passed");
});
