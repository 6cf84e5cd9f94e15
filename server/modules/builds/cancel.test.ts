import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import type { BuildsServer } from "#testing/builds-place.ts";
import {
  deployed,
  files,
  finish,
  lease,
  mustLease,
  published,
  push,
  show,
  standing,
  start,
  wholePipeline,
  work,
} from "#testing/build-hands.ts";
import { heldClock, openBuildsPlace } from "#testing/builds-place.ts";

const oneCommand = files("steps:\n  - { key: unit, command: test }\n");
const cancel = async (server: BuildsServer, id: string) =>
  orThrow(await server.admin.cancelBuild({ params: { id }, body: { reason: "wrong branch" } }));

test("a build whose files are being read is canceled at once, and stays so", async () => {
  await using place = await openBuildsPlace();
  const held = Promise.withResolvers<void>();
  const server = await place.server({ holdReading: () => held.promise });
  place.commit("orders", "main", oneCommand);
  const { id } = orThrow(await server.admin.createBuild({ body: { repository: "orders" } }));
  expect(await cancel(server, id)).toMatchObject({ state: "finished", outcome: "canceled" });
  held.resolve();
  const other = await push(place, server, { files: oneCommand });
  expect((await mustLease(server)).build.id).toBe(other.id);
  expect(await show(server, id)).toMatchObject({ outcome: "canceled", steps: [] });
});

test("a build that waits for an agent is canceled at once", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: oneCommand });
  expect(await cancel(server, id)).toMatchObject({
    outcome: "canceled",
    steps: [{ reason: "canceled by admin: wrong branch" }],
  });
  expect(await lease(server)).toBeNull();
  expect(await server.admin.cancelBuild({ params: { id } })).toMatchObject({ refused: "build.wrong-state" });
  expect(await server.admin.retryBuild({ params: { id } })).toMatchObject({ refused: "build.wrong-state" });
});

test("a job that was leased and not begun ends when its agent comes to begin it", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: oneCommand });
  const { job, token } = await mustLease(server);
  expect(await cancel(server, id)).toMatchObject({ state: "canceling" });
  expect(await server.agent.startJob({ params: { id: job }, body: { token } })).toMatchObject({
    refused: "lease.stale",
  });
  expect(await show(server, id)).toMatchObject({ outcome: "canceled" });
});

test("a running job is told with its next renewal, and the build ends with its agent's word", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: oneCommand });
  const assignment = await mustLease(server);
  await start(server, assignment);
  await cancel(server, id);
  const { job, token } = assignment;
  expect(await server.agent.renewLease({ params: { id: job }, body: { token } })).toEqual({ cancel: true });
  expect((await show(server, id)).steps[0]?.waits).toMatchObject([{ reason: { kind: "stopping", agent: "a1" } }]);
  await finish(server, assignment, { outcome: "canceled" });
  expect(await show(server, id)).toMatchObject({ state: "finished", outcome: "canceled" });
});

test("a running job whose agent is lost while it is being canceled is not run again", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const server = await place.server({ clock });
  const { id } = await push(place, server, { files: oneCommand });
  await start(server, await mustLease(server));
  await cancel(server, id);
  for (const _ of [1, 2, 3]) await server.passTime(7_000);
  expect(await show(server, id)).toMatchObject({ outcome: "canceled" });
  expect(await lease(server)).toBeNull();
});

test("a build at its gate is canceled at once", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files(wholePipeline) });
  await work(server);
  await work(server, published);
  await deployed(place, server, "succeeded");
  expect(standing(await cancel(server, id))).toContain("deploy-to-production canceled, deploy-production canceled");
});

test("a deployment that goes on is called off once, and the build ends with its end", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files(wholePipeline) });
  await work(server);
  await work(server, published);
  expect(await cancel(server, id)).toMatchObject({ state: "canceling" });
  expect(await cancel(server, id)).toMatchObject({ state: "canceling" });
  const [asked] = await place.events("builds.deploy-requested");
  expect(await place.events("builds.deploy-canceled")).toEqual([{ request: asked?.request }]);
  await deployed(place, server, "canceled");
  expect(await show(server, id)).toMatchObject({ state: "finished", outcome: "canceled" });
});

test("a finished build is not canceled", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: oneCommand });
  await work(server);
  expect(await server.admin.cancelBuild({ params: { id } })).toMatchObject({ refused: "build.wrong-state" });
  expect(await server.admin.cancelBuild({ params: { id: crypto.randomUUID() } })).toMatchObject({
    refused: "not-found",
  });
  expect(await show(server, id)).toMatchObject({ outcome: "passed" });
});

test("of a build at work the steps that wait and those that are ready end at once, and only what runs is waited for", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline =
    "steps:\n  - { key: a, command: a }\n  - { key: b, command: b }\n  - wait\n  - { key: c, command: c }\n";
  const { id } = await push(place, server, { files: files(pipeline) });
  const running = await mustLease(server);
  await start(server, running);
  expect(standing(await cancel(server, id))).toBe("a canceling, b canceled, c canceled");
  expect(await lease(server)).toBeNull();
  // Its last words are believed, and change nothing for the rest.
  await finish(server, running, { outcome: "passed", exitStatus: 0 });
  const ended = await show(server, id);
  expect(standing(ended)).toBe("a passed, b canceled, c canceled");
  expect(ended.outcome).toBe("canceled");
  const { stored, replayed } = await place.states(id);
  expect(replayed).toEqual(stored);
});

test("what a job has uploaded ends with the build, and a job that is being canceled adds nothing more", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files("steps:\n  - { key: make, command: make }\n") });
  const job = await mustLease(server);
  await start(server, job);
  const upload = (name: string) => {
    const text = `steps: [{ key: ${name}, command: x }, { key: gate-${name}, block: Go }]`;
    return server.job(job).uploadPipeline({ body: { upload: name, text } });
  };
  orThrow(await upload("one"));
  expect(standing(await cancel(server, id))).toBe("make canceling, one canceled, gate-one canceled");
  expect(await upload("two")).toMatchObject({ refused: "build.wrong-state" });
  await finish(server, job, { outcome: "canceled" });
  expect(await show(server, id)).toMatchObject({ state: "finished", outcome: "canceled" });
  expect(await upload("three")).toMatchObject({ refused: expect.stringMatching(/^(lease.stale|auth)/) });
});

test("a build that stands between two attempts of a job is canceled at once", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = "steps:\n  - { key: unit, command: test, retry: { automatic: true } }\n";
  const { id } = await push(place, server, { files: files(pipeline) });
  await work(server, { outcome: "failed", exitStatus: 1 });
  expect(standing(await show(server, id))).toBe("unit runnable");
  expect(await cancel(server, id)).toMatchObject({ state: "finished", outcome: "canceled" });
  expect(await lease(server)).toBeNull();
});
