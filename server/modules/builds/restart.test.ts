import { expect, test } from "vitest";
import { orThrow } from "#api/errors.ts";
import {
  appendLog,
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
} from "#testing/build-hands.ts";
import { heldClock, openBuildsPlace } from "#testing/builds-place.ts";
import { until } from "#testing/until.ts";

const oneCommand = files("steps:\n  - { key: unit, command: test }\n");
const passed = { outcome: "passed", exitStatus: 0 } as const;

test("every word about a build may be said to another server process than the one before", async () => {
  await using place = await openBuildsPlace();
  const servers = [await place.server(), await place.server()];
  let turn = 0;
  const next = () => servers[turn++ % 2]!;
  const { id } = await push(place, next(), { files: files(wholePipeline) });
  const unit = await mustLease(next());
  await start(next(), unit);
  orThrow(await next().agent.renewLease({ params: { id: unit.job }, body: { token: unit.token } }));
  expect(await appendLog(next(), unit, { offset: 0, text: "ok\n" })).toEqual({ next: 3 });
  expect(await appendLog(next(), unit, { offset: 0, text: "ok\n" })).toEqual({ next: 3 });
  await finish(next(), unit, passed);
  await finish(next(), unit, passed);
  const publish = await mustLease(next());
  await start(next(), publish);
  await finish(next(), publish, published);
  await deployed(place, next(), "succeeded");
  orThrow(await next().admin.unblockStep({ params: { id } }));
  await deployed(place, next(), "succeeded");
  expect(await show(next(), id)).toMatchObject({ state: "finished", outcome: "passed" });
  const asked = await place.events("builds.deploy-requested");
  expect(asked.map(({ environment }) => environment)).toEqual(["test", "production"]);
  expect(await place.events("builds.image-published")).toHaveLength(1);
});

test("a build that was being read when the server died is read by the next", async () => {
  await using place = await openBuildsPlace();
  const held = Promise.withResolvers<void>();
  const read: string[] = [];
  const dead = await place.server({
    holdReading(commit) {
      read.push(commit);
      return held.promise;
    },
  });
  place.commit("orders", "main", oneCommand);
  const { id } = orThrow(await dead.admin.createBuild({ body: { repository: "orders" } }));
  await until(() => read.length === 1);
  const next = await place.server();
  await until(async () => (await show(next, id)).state === "scheduled");
  expect((await lease(next))?.build.id).toBe(id);
  // Should the dead one wake up after all, it finds the build in other hands.
  held.resolve();
  await until(async () => (await place.openTasks()) === 0);
  expect(standing(await show(next, id))).toBe("unit leased");
});

test("a job goes on through a restart: its agent has a whole lease from then", async () => {
  await using place = await openBuildsPlace();
  const clock = heldClock();
  const before = await place.server({ clock });
  const { id } = await push(place, before, { files: oneCommand });
  const assignment = await mustLease(before);
  await start(before, assignment);
  clock.advance(300_000);
  const after = await place.server({ clock });
  await after.passTime(1_000);
  expect(standing(await show(after, id))).toBe("unit running");
  await finish(after, assignment, passed);
  expect(await show(after, id)).toMatchObject({ outcome: "passed" });
});

test("the state of a build is what its history makes of it", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files(wholePipeline) });
  const unit = await mustLease(server);
  await start(server, unit);
  await finish(server, unit, passed);
  const { stored, replayed } = await place.states(id);
  expect(replayed).toEqual(stored);
});
