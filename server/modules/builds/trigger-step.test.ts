import { expect, test } from "vitest";
import type { BuildDetails } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import { files, mustLease, push, show, start, finish, stepOf, work } from "#testing/build-hands.ts";
import { type BuildsPlace, type BuildsServer, openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";

const oneCommand = files("steps:\n  - { key: unit, command: test }\n");
const passed = { outcome: "passed", exitStatus: 0 } as const;

/** The newest build of a repository, once it has steps. */
async function newest(server: BuildsServer, repository: string): Promise<BuildDetails> {
  let found: BuildDetails | undefined;
  await until(async () => {
    const [build] = orThrow(await server.admin.listBuilds({ query: { repository, limit: 1 } })).builds;
    if (build && build.state !== "preparing") found = await show(server, build.id);
    return found !== undefined;
  });
  if (!found) throw new Error("no build");
  return found;
}

async function settled(place: BuildsPlace): Promise<void> {
  await until(async () => (await place.undelivered()) === 0 && (await place.openTasks()) === 0);
}

test("a trigger step starts a build with its message, variables and meta-data, and ends as it ends", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const commit = place.commit("cart", "main", oneCommand);
  const pipeline = `steps:
  - key: other
    trigger: cart
    build: { message: from orders, env: { FROM: orders }, meta_data: { version: "7" } }
  - wait
  - { key: after, command: x }
`;
  const { id } = await push(place, server, { files: files(pipeline) });
  const child = await newest(server, "cart");
  expect(child).toMatchObject({ source: "trigger", commit, message: "from orders", creator: "ada" });
  expect(child.parent).toEqual({ build: id, repository: "orders", number: 1, step: "other" });
  const waiting = stepOf(await show(server, id), "other");
  expect(waiting.waits).toMatchObject([
    { text: "for the build cart #1", reason: { kind: "build", request: child.id } },
  ]);
  expect(waiting.attempts).toMatchObject([{ number: 1, request: child.id, name: "cart #1", agent: null }]);
  const job = await mustLease(server);
  expect(job.env).toMatchObject({
    FROM: "orders",
    BUILDKITE_TRIGGERED_FROM_BUILD_ID: id,
    BUILDKITE_SOURCE: "trigger_job",
  });
  await start(server, job);
  await finish(server, job, passed);
  await settled(place);
  const parent = await show(server, id);
  expect(stepOf(parent, "other")).toMatchObject({ outcome: "passed", reason: "cart #1 passed" });
  expect(stepOf(parent, "after").state).toBe("runnable");
  const { stored, replayed } = await place.states(id);
  expect(replayed).toEqual(stored);
});

test("a triggered build that fails fails its step, or softly, and one that is not waited for does not matter", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  place.commit("cart", "main", oneCommand);
  const pipeline = `steps:
  - { key: hard, trigger: cart }
  - { key: soft, trigger: cart, soft_fail: true }
  - { key: aside, trigger: cart, async: true }
`;
  const { id } = await push(place, server, { files: files(pipeline) });
  for (let n = 0; n < 3; n++) await work(server, { outcome: "failed", exitStatus: 1 });
  await settled(place);
  const parent = await show(server, id);
  expect(parent.steps.map(({ key, outcome }) => `${key} ${outcome}`)).toEqual([
    "hard failed",
    "soft soft-failed",
    "aside passed",
  ]);
  expect(stepOf(parent, "aside").reason).toMatch(/^cart #\d was started and is not waited for$/);
  expect(parent.outcome).toBe("failed");

  orThrow(await server.admin.retryBuild({ params: { id }, body: { step: "hard" } }));
  await work(server);
  await settled(place);
  expect(stepOf(await show(server, id), "hard")).toMatchObject({
    outcome: "passed",
    attempts: [{}, { outcome: "passed" }],
  });
});

test("a build that cannot be started fails the step with the reason", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  place.commit("cart", "main", oneCommand);
  const { id } = await push(place, server, {
    files: files("steps:\n  - { key: t, trigger: cart, build: { branch: none } }\n"),
  });
  await settled(place);
  expect(stepOf(await show(server, id), "t")).toMatchObject({
    outcome: "failed",
    reason: "not-found: cart has no branch none",
  });
});

test("a canceled build cancels what it triggered, and waits for its end", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  place.commit("cart", "main", oneCommand);
  const { id } = await push(place, server, { files: files("steps:\n  - { key: t, trigger: cart }\n") });
  const job = await mustLease(server);
  await start(server, job);
  orThrow(await server.admin.cancelBuild({ params: { id } }));
  await settled(place);
  expect(await show(server, id)).toMatchObject({
    state: "canceling",
    steps: [{ waits: [{ text: "for the build cart #1 to stop" }] }],
  });
  await finish(server, job, { outcome: "canceled" });
  await settled(place);
  expect(await show(server, id)).toMatchObject({
    outcome: "canceled",
    steps: [{ outcome: "canceled", reason: "cart #1 canceled" }],
  });
});

test("builds that start each other in a circle end at ten deep, with a code", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  place.commit("cart", "main", files("steps:\n  - { key: again, trigger: orders }\n"));
  const { id } = await push(place, server, { files: files("steps:\n  - { key: again, trigger: cart }\n") });
  await until(async () => (await show(server, id)).state === "finished", { deadlineMs: 25_000 });
  const { builds } = orThrow(await server.admin.listBuilds({}));
  expect(builds).toHaveLength(11);
  expect(builds.every(({ outcome }) => outcome === "failed")).toBe(true);
  const deepest = await show(server, builds[0]?.id ?? "");
  expect(stepOf(deepest, "again").reason).toBe("build.too-deep: builds start builds 10 deep at most");
});

test("a trigger and the build that it started may share a group: they would wait for each other", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const group = "concurrency: 1, concurrency_group: g";
  place.commit("cart", "main", files(`steps:\n  - { key: unit, command: x, ${group} }\n`));
  const { id } = await push(place, server, { files: files(`steps:\n  - { key: t, trigger: cart, ${group} }\n`) });
  const other = await push(place, server, { files: files(`steps:\n  - { key: own, command: x, ${group} }\n`) });
  await until(async () => stepOf(await show(server, id), "t").state === "requested");
  expect(stepOf(await show(server, other.id), "own").waits[0]?.text).toContain("held by orders #1 t");
  expect((await work(server)).build.repository).toBe("cart");
  await settled(place);
  expect((await show(server, id)).outcome).toBe("passed");
  expect((await work(server)).build.id).toBe(other.id);
});
