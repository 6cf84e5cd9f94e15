import { sql } from "kysely";
import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import { deployed, files, lease, mustLease, published, push, show, wholePipeline, work } from "#testing/build-hands.ts";
import { type BuildsPlace, heldClock, openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";

const oneCommand = files("steps:\n  - { key: unit, command: test }\n");

test("a faulty pipeline file fails its build at once, with every fault and its place", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const pipeline = "steps:\n  - { command: npm test, timeout_in_minutes: 0 }\n  - deploy: test\n";
  const build = await push(place, server, { files: files(pipeline) });
  expect(build).toMatchObject({ state: "finished", outcome: "failed", message: "change 1", steps: [] });
  expect(build.fault).toMatchObject({
    code: "pipeline.invalid",
    place: { file: ".towline/pipeline.yml", line: 2 },
  });
  expect(await place.events("builds.build-finished")).toMatchObject([{ build: build.id, outcome: "failed" }]);
  expect(await server.admin.retryBuild({ params: { id: build.id } })).toMatchObject({ refused: "build.wrong-state" });
});

test("faults of both files are told together", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const both = { "towline.yml": "servce: orders\n", ".towline/pipeline.yml": "steps: 3\n" };
  const { fault } = await push(place, server, { files: both });
  expect(fault?.code).toBe("manifest.invalid");
  expect(new Set(fault?.faults.map((each) => each.place?.file))).toEqual(
    new Set(["towline.yml", ".towline/pipeline.yml"]),
  );
});

test("a repository without towline.yml cannot publish, and may run commands", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const bare = await push(place, server, { files: {} });
  expect(bare).toMatchObject({ outcome: "failed", fault: { code: "manifest.missing" } });
  const commands = await push(place, server, { files: { ".buildkite/pipeline.yml": "steps: [{ command: make }]" } });
  expect(commands).toMatchObject({ state: "scheduled", fault: null, service: null });
});

test("without a pipeline file the default pipeline serves", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const given = { "towline.yml": oneCommand["towline.yml"], "compose.test.yml": "services: {}" };
  const { steps } = await push(place, server, { files: given });
  expect(steps.filter(({ kind }) => kind !== "wait").map(({ kind, environment }) => environment ?? kind)).toEqual([
    "test",
    "publish",
    "test",
    "block",
    "production",
  ]);
});

test("deleted branches, the fleet repository and a tag named as the default branch are not built", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const commit = place.commit("orders", "main", oneCommand);
  const changes = [
    { repository: "orders", ref: "refs/tags/main", after: commit },
    { repository: "orders", ref: "refs/notes/x", after: commit },
    { repository: "orders", ref: "refs/heads/gone", before: commit },
    { repository: "fleet", ref: "refs/heads/main", after: commit },
  ];
  await place.database.db.transaction().execute(async (tx) => {
    for (const change of changes) await server.emit(tx, "r", "source.ref-changed", change);
  });
  await until(async () => (await place.undelivered()) === 0 && (await place.openTasks()) === 0);
  expect(orThrow(await server.admin.listBuilds({})).builds).toEqual([]);
});

test("builds are numbered per repository without gaps, however many come at once", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  place.commit("orders", "main", oneCommand);
  place.commit("cart", "main", oneCommand);
  const wanted = Array.from({ length: 12 }, (_, index) => (index % 3 === 0 ? "cart" : "orders"));
  const made = await Promise.all(wanted.map((repository) => server.admin.createBuild({ body: { repository } })));
  const numbers = (repository: string) =>
    made
      .map((each) => orThrow(each))
      .filter((each) => each.repository === repository)
      .map(({ number }) => number)
      .toSorted((a, b) => a - b);
  expect(numbers("orders")).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(numbers("cart")).toEqual([1, 2, 3, 4]);
});

test("a build is asked for by branch, or by a commit that the branch contains", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const older = place.commit("orders", "main", oneCommand);
  const newer = place.commit("orders", "main", oneCommand);
  const other = place.commit("orders", "topic", oneCommand);
  const create = async (body: { branch?: string; commit?: string }) =>
    server.admin.createBuild({ body: { repository: "orders", ...body } });
  expect(await create({})).toMatchObject({ branch: "main", commit: newer, creator: "admin", source: "api" });
  expect(await create({ commit: older })).toMatchObject({ branch: "main", commit: older });
  expect(await create({ commit: other })).toMatchObject({ refused: "git.bad-revision" });
  expect(await create({ branch: "none" })).toMatchObject({ refused: "not-found" });
});

test("a newer push cancels the older build of its branch, except on the default branch", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const main = await push(place, server, { files: oneCommand });
  const topic = await push(place, server, { branch: "topic", files: oneCommand });
  const another = await push(place, server, { branch: "another", files: oneCommand });
  await push(place, server, { files: oneCommand });
  const newest = await push(place, server, { branch: "topic", files: oneCommand });
  expect((await show(server, main.id)).state).toBe("scheduled");
  expect((await show(server, another.id)).state).toBe("scheduled");
  const superseded = await show(server, topic.id);
  expect(superseded).toMatchObject({ outcome: "canceled", supersededBy: newest.number });
  expect(superseded.steps[0]).toMatchObject({
    outcome: "superseded",
    reason: `build ${newest.number} of the same branch is newer`,
  });
  expect(newest.state).toBe("scheduled");
});

test("a build that waits at its gate or deploys goes on when main moves", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files(wholePipeline) });
  await work(server);
  await work(server, published);
  await push(place, server, { files: files(wholePipeline) });
  expect((await show(server, id)).state).toBe("running");
  await deployed(place, server, "succeeded");
  expect((await show(server, id)).state).toBe("blocked");
});

test("a build gets no agent while an older one of its branch is still being read", async () => {
  await using place = await openBuildsPlace();
  const held = Promise.withResolvers<void>();
  const server = await place.server({ holdReading: (commit) => (commit.endsWith("1") ? held.promise : undefined) });
  const slow = place.commit("orders", "main", oneCommand);
  orThrow(await server.admin.createBuild({ body: { repository: "orders", commit: slow } }));
  const fast = await push(place, server, { files: oneCommand });
  expect(fast.state).toBe("scheduled");
  expect(await lease(server)).toBeNull();
  held.resolve();
  const first = await mustLease(server);
  const second = await mustLease(server);
  expect([first.build.commit, second.build.commit]).toEqual([slow, fast.commit]);
});

test("a repository that cannot be read is tried again, and fails the build after ten minutes", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  let tries = 0;
  const holdReading = () => {
    tries++;
    return Promise.reject(new Error("the disk is gone"));
  };
  const server = await place.server({ clock, holdReading });
  place.commit("orders", "main", oneCommand);
  const { id } = orThrow(await server.admin.createBuild({ body: { repository: "orders" } }));
  await until(() => tries === 1);
  expect((await show(server, id)).state).toBe("preparing");
  clock.advance(601_000);
  await server.builds.tasks["builds.prepare"]?.({ build: id }, new AbortController().signal);
  expect(await show(server, id)).toMatchObject({ outcome: "failed", fault: { code: "server.failed" } });
});

test("builds are listed newest first, page by page, and by what one looks for", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  for (const branch of ["main", "topic", "main"]) await push(place, server, { branch, files: oneCommand });
  const first = orThrow(await server.admin.listBuilds({ query: { limit: 2 } }));
  expect(first.builds.map(({ number }) => number)).toEqual([3, 2]);
  const second = orThrow(await server.admin.listBuilds({ query: { limit: 2, before: first.next ?? 0 } }));
  expect(second).toMatchObject({ builds: [{ number: 1 }], next: null });
  const query = { repository: "orders", branch: "topic", state: "scheduled" } as const;
  expect(orThrow(await server.admin.listBuilds({ query })).builds.map(({ number }) => number)).toEqual([2]);
});

async function waitingEvents({ database }: BuildsPlace): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from deliveries`.execute(database.db);
  return rows[0]?.count ?? 0;
}

test("where pull requests get environments, opening one builds its head again, and the default pipeline makes its image", async () => {
  await using place = await openBuildsPlace();
  const held: { previews?: { borrow: string; keep: number; most: number } } = {};
  const server = await place.server({ fleet: { previews: async () => held.previews } });
  const own = { "towline.yml": "service: orders\nhttp: { port: 8080 }\n" };
  const pushed = await push(place, server, { repository: "orders", branch: "topic", files: own });
  place.pullRequests.set("orders:topic", 3);
  const opened = { repository: "orders", number: 3, branch: "topic", head: pushed.commit };
  const open = () =>
    place.database.db.transaction().execute((tx) => server.emit(tx, "r", "source.pull-request-opened", opened));
  const builds = async () => orThrow(await server.admin.listBuilds({ query: { commit: pushed.commit } })).builds;
  await open();
  await until(async () => (await waitingEvents(place)) === 0);
  held.previews = { borrow: "test", keep: 1000, most: 1 };
  await open();
  await until(async () =>
    (await builds()).some(({ pullRequest, state }) => pullRequest === 3 && state !== "preparing"),
  );
  expect(await builds()).toHaveLength(2);
  const made = (await builds()).find(({ pullRequest }) => pullRequest === 3);
  const { steps } = orThrow(await server.admin.showBuild({ params: { id: made?.id ?? "" } }));
  const skipped = (all: typeof steps) => all.find(({ kind }) => kind === "publish")?.state;
  expect([skipped(pushed.steps), skipped(steps)]).toEqual(["finished", "runnable"]);
});
