import { expect, test } from "vitest";
import {
  deployed,
  files,
  image,
  lease,
  mustLease,
  finish,
  published,
  push,
  show,
  standing,
  start,
  stepOf,
  wholePipeline,
  work,
} from "#testing/build-hands.ts";
import { openBuildsPlace } from "#testing/builds-place.ts";

test("a push to main goes through tests, image, test environment and gate to production", async () => {
  await using place = await openBuildsPlace();
  await using server = await place.server();
  const lead = await server.as("lead");
  const { id, number, commit } = await push(place, server, { files: files(wholePipeline) });
  expect(standing(await show(server, id))).toBe(
    "unit runnable, publish waiting, deploy-test waiting, deploy-to-production waiting, deploy-production waiting",
  );

  await work(server);
  const assignment = await work(server, published);
  expect(assignment.work).toEqual({
    kind: "publish",
    service: "orders",
    context: ".",
    dockerfile: "Dockerfile",
    args: {},
  });
  const identity = { build: id, repository: "orders", number, branch: "main", commit };
  expect(await place.events("builds.image-published")).toEqual([
    { ...identity, service: "orders", digest: image.digest, image: image.reference },
  ]);
  expect(await deployed(place, server, "succeeded")).toBe("test");
  expect(await show(server, id)).toMatchObject({ state: "blocked", outcome: null });

  expect(await server.admin.unblockStep({ params: { id } })).toMatchObject({ state: "running" });
  expect(await place.events("builds.deploy-requested")).toMatchObject([
    { environment: "test" },
    { environment: "production", actor: "admin" },
  ]);
  expect(await deployed(place, server, "succeeded")).toBe("production");
  expect(await show(server, id)).toMatchObject({ state: "finished", outcome: "passed" });
  expect(await place.events("builds.build-finished")).toEqual([{ ...identity, outcome: "passed" }]);
  expect(lead).toBeDefined();
});
