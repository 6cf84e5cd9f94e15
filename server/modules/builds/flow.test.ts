import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import {
  deployed,
  files,
  image,
  published,
  push,
  show,
  standing,
  stepOf,
  wholePipeline,
  work,
} from "#testing/build-hands.ts";
import { openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";

test("a push to main goes through tests, image, test environment and gate to production", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id, number, commit } = await push(place, server, { files: files(wholePipeline) });
  expect(standing(await show(server, id))).toBe(
    "unit runnable, publish waiting, deploy-test waiting, deploy-to-production waiting, deploy-production waiting",
  );

  await work(server);
  const { work: publish } = await work(server, published);
  expect(publish).toEqual({ kind: "publish", service: "orders", context: ".", dockerfile: "Dockerfile", args: {} });
  const identity = { build: id, repository: "orders", number, branch: "main", commit };
  const material = { service: "orders", digest: image.digest, image: image.reference };
  expect(await place.events("builds.image-published")).toEqual([{ ...identity, ...material }]);
  expect(await deployed(place, server, "succeeded")).toBe("test");
  expect(await show(server, id)).toMatchObject({ state: "blocked", outcome: null });

  expect(await server.admin.unblockStep({ params: { id } })).toMatchObject({ state: "running" });
  expect(await place.events("builds.deploy-requested")).toMatchObject([
    { environment: "test" },
    { environment: "production", actor: "admin" },
  ]);
  expect(await deployed(place, server, "succeeded")).toBe("production");
  const ended = await show(server, id);
  expect(ended).toMatchObject({ state: "finished", outcome: "passed" });
  expect(stepOf(ended, "deploy-to-production")).toMatchObject({ outcome: "passed", by: "admin" });
  expect(await place.events("builds.build-finished")).toEqual([{ ...identity, outcome: "passed" }]);
});

test("a deployment that rolls back fails its build, and what stands behind it is not deployed", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files(wholePipeline) });
  await work(server);
  await work(server, published);
  await deployed(place, server, "rolled-back");
  const build = await show(server, id);
  expect(build).toMatchObject({ state: "finished", outcome: "failed" });
  expect(stepOf(build, "deploy-test")).toMatchObject({ outcome: "failed", reason: "rolled back" });
  expect(stepOf(build, "deploy-production").outcome).toBe("broken");
});

test("a build of another branch tests, deploys nothing, waits at no gate and ends", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { branch: "topic", files: files(wholePipeline) });
  await work(server);
  const build = await show(server, id);
  expect(standing(build)).toBe(
    "unit passed, publish skipped, deploy-test skipped, deploy-to-production skipped, deploy-production skipped",
  );
  expect(stepOf(build, "deploy-test").reason).toContain("only builds of `main` deploy");
  expect(build.outcome).toBe("passed");
  expect(await server.builds.publishes(id)).toBe(false);
});

test("a publish without a word of its image has failed", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files("steps:\n  - publish: .\n") });
  await work(server, { outcome: "passed", exitStatus: 0 });
  expect(await show(server, id)).toMatchObject({
    outcome: "failed",
    steps: [{ reason: "the agent reported no image" }],
  });
  expect(await place.events("builds.image-published")).toEqual([]);
});

test("evidence names the steps that ran, with their outcome", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files(wholePipeline) });
  await work(server);
  await work(server, published);
  expect(await server.builds.evidence(id)).toMatchObject([
    { key: "unit", label: "unit", kind: "command", outcome: "passed" },
    { key: "publish", kind: "publish", outcome: "passed" },
  ]);
  expect(await server.builds.publishes(id)).toBe(true);
});

test("a gate is opened by the roles it names and by admins", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files(wholePipeline) });
  const gate = { params: { id }, body: { step: "deploy-to-production" } };
  expect(await server.admin.unblockStep(gate)).toMatchObject({ refused: "build.wrong-state" });
  expect(await server.admin.unblockStep({ params: { id } })).toMatchObject({ refused: "build.wrong-state" });
  await work(server);
  await work(server, published);
  await deployed(place, server, "succeeded");
  const developer = await server.as("developer");
  expect(await developer.unblockStep(gate)).toMatchObject({ refused: "auth.forbidden" });
  const viewer = await server.as("viewer");
  expect(await viewer.unblockStep(gate)).toMatchObject({ refused: "auth.forbidden" });
  const lead = await server.as("lead");
  const { name } = orThrow(await lead.whoAmI({}));
  expect(stepOf(orThrow(await lead.unblockStep(gate)), "deploy-to-production").by).toBe(name);
});

test("what failed is tried again by hand: one step, or all", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const two = "steps:\n  - { key: a, command: a }\n  - { key: b, command: b }\n  - wait\n  - { key: c, command: c }\n";
  const { id } = await push(place, server, { files: files(two) });
  await work(server, { outcome: "failed", exitStatus: 1 });
  await work(server, { outcome: "failed", exitStatus: 2 });
  expect(standing(await show(server, id))).toBe("a failed, b failed, c broken");

  orThrow(await server.admin.retryBuild({ params: { id }, body: { step: "a" } }));
  await work(server);
  expect(standing(await show(server, id))).toBe("a passed, b failed, c broken");
  orThrow(await server.admin.retryBuild({ params: { id } }));
  await work(server);
  await work(server);
  const build = await show(server, id);
  expect(standing(build)).toBe("a passed, b passed, c passed");
  expect(stepOf(build, "a").attempts.map(({ outcome, exitStatus }) => [outcome, exitStatus])).toEqual([
    ["failed", 1],
    ["passed", 0],
  ]);
  const ends = await place.events("builds.build-finished");
  expect(ends.map(({ outcome }) => outcome)).toEqual(["failed", "failed", "passed"]);
  expect(await server.admin.retryBuild({ params: { id } })).toMatchObject({ refused: "build.wrong-state" });
});

test("the end of a deployment that nobody asked for changes nothing", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files(wholePipeline) });
  const payload = {
    ...{ deployment: crypto.randomUUID(), request: crypto.randomUUID() },
    ...{ service: "orders", environment: "test", release: 1, outcome: "succeeded" as const },
  };
  const { db } = place.database;
  await db.transaction().execute((tx) => server.emit(tx, "d", "deployments.deployment-finished", payload));
  await until(async () => (await place.undelivered()) === 0);
  expect(standing(await show(server, id))).toMatch(/^unit runnable/);
});
