import { isRefusal } from "#api/errors.ts";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { type DeploymentsServer, openDeploymentsPlace } from "#testing/deployments-place.ts";
import { manifestOf } from "#testing/deployments-world.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

const template = "target: docker\nborrow: test\nwatch: 0s\n";

/** A fleet with previews, and pull request 12 of `orders` on the branch `topic`. */
async function openScene(preview = template) {
  const place = await openDeploymentsPlace();
  place.world.services = ["orders", "catalog"];
  place.world.environments["preview"] = preview;
  place.world.pullRequests.set("topic", 12);
  const server = await place.server();
  const dispose = async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { place, server, [Symbol.asyncDispose]: dispose };
}

async function listed(server: DeploymentsServer) {
  const answer = await server.call("listPreviews", {});
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer.previews;
}

async function stands(server: DeploymentsServer, environment: string, releases: Record<string, number>) {
  let seen: unknown;
  await until(
    async () => {
      const preview = (await listed(server)).find((each) => each.environment === environment);
      seen = preview;
      return Object.entries(releases).every(([service, release]) =>
        preview?.services.some(
          (each) => each.service === service && each.release === release && each.state === "succeeded",
        ),
      );
    },
    { describe: () => JSON.stringify(seen), deadlineMs: 15_000 },
  );
}

async function ended(server: DeploymentsServer, environment: string) {
  const find = async () => (await listed(server)).find((each) => each.environment === environment);
  await until(async () => Boolean((await find())?.endedAt), { deadlineMs: 15_000 });
  return find();
}

test("what the build of a pull request published serves at a host name of its own, and its next commit takes its place", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  await server.publish("orders", commitNumber(1));
  const { number } = await server.publish("orders", commitNumber(2), "orders", "topic");
  await stands(server, "preview-1", { orders: number });
  expect((await place.serving("orders", "preview-1")).releases).toEqual([2]);
  const status = await server.call("getStatus", {});
  expect(status).toMatchObject({
    environments: ["test", "production"],
    previews: [
      {
        ...{ environment: "preview-1", repository: "orders", pullRequest: 12, ending: null },
        services: [{ service: "orders", url: "http://orders.preview-1.localhost:8300" }],
      },
    ],
  });
  const next = await server.publish("orders", commitNumber(3), "orders", "topic");
  await stands(server, "preview-1", { orders: next.number });
  expect((await place.serving("orders", "preview-1")).releases).toEqual([3]);
  expect(await listed(server)).toHaveLength(1);
});

test("such a release goes nowhere else, by nobody, and counts as no newest one", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  await server.publish("orders", commitNumber(1));
  await server.publish("orders", commitNumber(2), "orders", "topic");
  await stands(server, "preview-1", { orders: 2 });
  const ask = (body: object, row: "createDeployment" | "rollBack" = "createDeployment") =>
    server.call(row, { body: { service: "orders", ...body } }, "admin");
  expect(await ask({ environment: "test", release: 2 })).toMatchObject({
    refused: "release.preview-only",
    message: "release 2 of orders is of pull request 12 and goes to its preview alone",
  });
  expect(await ask({ environment: "production", release: 2 })).toMatchObject({ refused: "release.preview-only" });
  expect(await ask({ environment: "preview-1", release: 1 })).toMatchObject({ refused: "release.preview-only" });
  expect(await ask({ environment: "preview-9", release: 2 })).toMatchObject({ refused: "release.preview-only" });
  expect(await ask({ environment: "preview" })).toMatchObject({ refused: "not-found" });
  expect(await server.releases.latest("orders")).toMatchObject({ number: 1 });
  expect((await place.serving("orders")).releases).toEqual([]);
});

test("without a template an image of a branch makes no release, as ever", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  delete place.world.environments["preview"];
  await expect(server.publish("orders", commitNumber(2), "orders", "topic")).rejects.toThrow(
    "only builds of main make releases",
  );
});

test("when the pull request is closed nothing of it is left: instances, routes, data, values and the hold of its images", async () => {
  await using scene = await openScene(`${template}backing: { db: { image: "postgres:17", volume: 1Gi } }\n`);
  const { place, server } = scene;
  place.world.manifests.set(commitNumber(2), manifestOf("orders", "uses: [db]\n"));
  await server.publish("orders", commitNumber(2), "orders", "topic");
  await stands(server, "preview-1", { orders: 1 });
  expect(await place.runtime.list({ environment: "preview-1" })).toHaveLength(2);
  place.world.pullRequests.clear();
  expect(await ended(server, "preview-1")).toMatchObject({ ending: "pull request 12 of orders is open no more" });
  expect(await place.runtime.list({})).toEqual([]);
  expect(await place.runtime.environments()).toEqual([]);
  expect(place.balancer.request("orders.preview-1.localhost", 0)).toBe(404);
  expect(place.world.forgotten).toContain("preview-1");
  expect(await place.events("deployments.preview-ended")).toMatchObject([
    { environment: "preview-1", pullRequest: 12, releases: [{ service: "orders", number: 1 }] },
  ]);
  await until(async () => (await place.runtime.heldImages()).every(({ image }) => !image.includes("orders")));
  for (const table of ["lanes", "backings", "routes", "pools", "slots"]) {
    const { rows } = await sql`select * from ${sql.table(table)}`.execute(place.database.db);
    expect([table, rows]).toEqual([table, []]);
  }
});

test("a server that dies while it takes one down leaves the rest to the next", async () => {
  await using scene = await openScene();
  const { place } = scene;
  await scene.server.publish("orders", commitNumber(2), "orders", "topic");
  await stands(scene.server, "preview-1", { orders: 1 });
  const remove = place.runtime.removeEnvironment.bind(place.runtime);
  let tries = 0;
  place.runtime.removeEnvironment = async () => {
    tries += 1;
    throw new Error("it dies here");
  };
  place.world.pullRequests.clear();
  await until(() => tries > 0, { deadlineMs: 15_000 });
  await scene.server[Symbol.asyncDispose]();
  place.runtime.removeEnvironment = remove;
  await using second = await place.server();
  expect(await ended(second, "preview-1")).toMatchObject({ ending: expect.stringContaining("open no more") });
  expect(await place.runtime.list({})).toEqual([]);
});

test("one whose time is over ends, and the next commit brings another", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  await server.publish("orders", commitNumber(2), "orders", "topic");
  await stands(server, "preview-1", { orders: 1 });
  await sql`update previews set expires_at = now()`.execute(place.database.db);
  expect(await ended(server, "preview-1")).toMatchObject({ ending: expect.stringContaining("a push brings it again") });
  await server.publish("orders", commitNumber(3), "orders", "topic");
  await stands(server, "preview-2", { orders: 2 });
});

test("one that is ended on its way up is canceled first", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  place.world.healthy = () => false;
  await server.publish("orders", commitNumber(2), "orders", "topic");
  await until(async () => (await listed(server))[0]?.services[0]?.state === "start" || place.made.length > 0);
  place.world.pullRequests.clear();
  await ended(server, "preview-1");
  expect(await place.runtime.list({})).toEqual([]);
});

test("no more stand at once than the fleet says; the next says what it waits for, and goes when one ends", async () => {
  await using scene = await openScene(`${template}most: 1\n`);
  const { place, server } = scene;
  place.world.pullRequests.set("other", 13);
  await server.publish("orders", commitNumber(2), "orders", "topic");
  await stands(server, "preview-1", { orders: 1 });
  await server.publish("orders", commitNumber(3), "orders", "other");
  const second = async () => (await listed(server)).find(({ pullRequest }) => pullRequest === 13);
  await until(async () => Boolean((await second())?.services[0]?.reason), { deadlineMs: 15_000 });
  expect(await second()).toMatchObject({
    services: [
      { state: "waiting", reason: expect.stringContaining("preview-1 stands, and no more than 1 may at once") },
    ],
  });
  place.world.pullRequests.delete("topic");
  await stands(server, "preview-2", { orders: 2 });
});

test("needed services are those that the pull request brings, and all others those of the environment it borrows from", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  for (const commit of [commitNumber(2), commitNumber(3)])
    place.world.manifests.set(commit, manifestOf("orders", "needs: [catalog]\n"));
  await server.publish("catalog", commitNumber(1));
  await server.deploy("catalog", 1);
  await server.publish("orders", commitNumber(2), "orders", "topic");
  await stands(server, "preview-1", { orders: 1 });
  const given = async () => {
    const { rows } = await sql<{ url: string }>`
      select stack->'variables'->'CATALOG_URL'->>'value' as url from deployments d join lanes l on l.serving = d.id
      where l.service = 'orders' and l.environment = 'preview-1'`.execute(place.database.db);
    return rows[0]?.url;
  };
  const addressIn = async (environment: string) =>
    (await server.routing.addressOf({ service: "catalog", environment }))?.internalUrl;
  expect(await given()).toBe(await addressIn("test"));
  expect(await addressIn("preview-1")).toBeUndefined();
  // Another service of the same repository: the pull request brings it too.
  place.world.repositories.set("catalog", "orders");
  place.world.manifests.set(commitNumber(4), manifestOf("catalog"));
  await server.publish("catalog", commitNumber(4), "catalog", "topic");
  await until(async () => (await given()) !== undefined && (await given()) === (await addressIn("preview-1")), {
    deadlineMs: 15_000,
  });
});
