import { expect, test } from "vitest";
import { releaseEndpoints } from "#api/endpoints/releases.ts";
import { isRefusal } from "#api/errors.ts";
import type { Context } from "#kernel/http.ts";
import { newId } from "#kernel/clock.ts";
import { digestOf, openDeploymentsPlace } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

const context = {} as Context;

test("a published image becomes a numbered release with manifest and commits since the one before", async () => {
  await using place = await openDeploymentsPlace();
  await using server = await place.server();
  await server.publish("orders", commitNumber(2));
  const { number, build } = await server.publish("orders", commitNumber(5));
  expect(number).toBe(2);
  const shown = await server.releases.handlers.showRelease(
    { params: { service: "orders", number: 2 }, query: undefined, body: undefined },
    context,
  );
  if (isRefusal(shown)) throw new Error(shown.message);
  const release = releaseEndpoints.showRelease.response.parse(shown);
  expect(release).toMatchObject({ number: 2, commit: commitNumber(5), digest: digestOf("orders"), build, previous: 1 });
  expect(release.commits.map(({ message }) => message)).toEqual(["change 5", "change 4", "change 3"]);
  expect(release.manifest).toMatchObject({ service: "orders", port: 8080 });
  expect(await server.releases.latest("orders")).toMatchObject({ number: 2, image: "orders" });
  const { releases } = (await server.releases.handlers.listReleases(
    { params: { service: "orders" }, query: { limit: 1 }, body: undefined },
    context,
  )) as { releases: { number: number }[] };
  expect(releases.map((each) => each.number)).toEqual([2]);
});

test("an image that is said to be published twice makes one release", async () => {
  await using place = await openDeploymentsPlace();
  await using server = await place.server();
  const { build } = await server.publish("orders", commitNumber(1));
  const facts = { build, repository: "orders", number: 1, branch: "main", commit: commitNumber(1), service: "orders" };
  await server.releases.tasks["releases.create"]?.(
    { ...facts, digest: digestOf("orders"), image: "registry.test:5000/orders:main" },
    new AbortController().signal,
  );
  expect(await server.releases.latest("orders")).toMatchObject({ number: 1 });
  expect(await place.events("releases.release-created")).toHaveLength(1);
});

test("two services number their releases each for itself, also when made at once", async () => {
  await using place = await openDeploymentsPlace();
  await using server = await place.server();
  const made = await Promise.all(
    ["orders", "catalog", "orders", "orders"].map((service, index) => server.publish(service, commitNumber(index + 1))),
  );
  expect([made[0], made[2], made[3]].map((each) => each?.number).toSorted()).toEqual([1, 2, 3]);
  expect(made[1]?.number).toBe(1);
});

test("the manifest of a service in a folder is read there", async () => {
  await using place = await openDeploymentsPlace();
  await using server = await place.server();
  const facts = {
    build: newId(),
    repository: "orders",
    number: 1,
    branch: "main",
    commit: commitNumber(1),
    service: "orders",
  };
  const image = { digest: digestOf("orders"), image: "registry.test:5000/orders:x", folder: "services/orders" };
  place.world.manifests.set(commitNumber(1), "service: orders\nprot: 1\n");
  await server.releases.tasks["releases.create"]?.({ ...facts, ...image }, new AbortController().signal);
  expect(await server.releases.byBuild(facts.build, "orders")).toMatchObject({
    message: expect.stringMatching(/^services\/orders\/towline\.yml:2:\d+: /),
  });
});

test.each([
  ["a manifest with an error", "service: orders\nhttp: { prot: 1 }\n", "main", /towline\.yml:2:\d+: .*prot/],
  [
    "another service's manifest",
    "service: catalog\nhttp: { port: 1 }\n",
    "main",
    /names the service catalog, not orders/,
  ],
  ["another branch", "service: orders\nport: 1\n", "topic", /only builds of main make releases/],
])("%s makes no release and says why", async (_, manifest, branch, reason) => {
  await using place = await openDeploymentsPlace();
  await using server = await place.server();
  place.world.manifests.set(commitNumber(1), manifest);
  const build = newId();
  const facts = { build, repository: "orders", number: 1, branch, commit: commitNumber(1), service: "orders" };
  await place.database.db.transaction().execute((tx) =>
    server.emit(tx, `build:${build}`, "builds.image-published", {
      ...facts,
      ...{ digest: digestOf("orders"), image: "registry.test:5000/orders:x" },
    }),
  );
  await until(async () => (await server.releases.byBuild(build, "orders")) !== undefined);
  expect(await server.releases.byBuild(build, "orders")).toMatchObject({
    refused: "release.none",
    message: expect.stringMatching(reason),
  });
  expect(await server.releases.latest("orders")).toBeUndefined();
});
