import { describe, expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { RuntimeError } from "#drivers/runtime/contract.ts";
import { createEventFeed } from "#kernel/event-feed.ts";
import { openWake } from "#kernel/wake.ts";
import { openDeploymentsPlace } from "#testing/deployments-place.ts";
import { manifestOf } from "#testing/deployments-world.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

async function openScene(manifest = manifestOf("orders"), environment?: string) {
  const place = await openDeploymentsPlace();
  place.world.services = ["orders"];
  if (environment) place.world.environments["test"] = environment;
  place.world.manifests.set(commitNumber(1), manifest);
  const server = await place.server();
  await server.publish("orders", commitNumber(1));
  await server.deploy("orders", 1);
  const { instances } = await place.serving("orders");
  const dispose = async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { place, server, instances, [Symbol.asyncDispose]: dispose };
}

type Scene = Awaited<ReturnType<typeof openScene>>;

const withDatabase = (image: string) =>
  `target: docker\nwatch: 0s\nbacking: { db: { image: "${image}", volume: 1Gi } }\n`;
const usingDatabase = manifestOf("orders", "uses: [db]\n");

test("an instance that somebody removed is started again and gets its traffic back", async () => {
  await using scene = await openScene();
  const { place, instances } = scene;
  for (const { id } of await place.runtime.list({ service: "orders" })) await place.runtime.remove(id);
  await until(async () => (await place.serving("orders")).instances.length === 1);
  expect((await place.serving("orders")).instances).toEqual(instances);
});

test("an instance that somebody stopped is started again", async () => {
  await using scene = await openScene();
  const { place, instances } = scene;
  for (const { id } of await place.runtime.list({ service: "orders" })) await place.runtime.stop(id, { graceMs: 0 });
  await until(async () => (await place.runtime.list({ service: "orders" })).every(({ state }) => state === "running"));
  await until(async () => (await place.serving("orders")).instances.length === 1);
  expect((await place.serving("orders")).instances).toEqual(instances);
});

test("drift is shown at once, told once in the record, and repaired", async () => {
  await using scene = await openScene();
  const { place, server, instances } = scene;
  const [instance] = await place.runtime.list({ service: "orders" });
  const start = place.runtime.start.bind(place.runtime);
  place.runtime.start = async () => {
    throw new RuntimeError("disk-full", "no space left");
  };
  await place.runtime.remove(instance?.id ?? "");
  const drift = [`${instances[0]} is gone`];
  expect(await server.call("getStatus", {})).toMatchObject({ services: [{ cells: [{ drift, healthy: false }, {}] }] });
  await until(async () => (await place.events("deployments.drift-found")).length > 0);
  place.runtime.start = start;
  await until(async () => (await place.serving("orders")).instances.length === 1);
  expect(await server.call("getStatus", {})).toMatchObject({ services: [{ cells: [{ drift: [] }, {}] }] });
  expect(await place.events("deployments.drift-found")).toEqual([{ service: "orders", environment: "test", drift }]);
});

test("a release that crashes after its watch stays what serves: shown as not healthy, told in the record, not taken back", async () => {
  await using scene = await openScene();
  const { place, server, instances } = scene;
  const [instance] = await place.runtime.list({ service: "orders" });
  place.runtime.crash(instance?.id ?? "", 7);
  const words = `${instances[0]} ended by itself and was started again once, last with exit code 7`;
  await until(async () => (await place.events("deployments.instance-restarted")).length > 0);
  expect(await place.events("deployments.instance-restarted")).toEqual([
    { service: "orders", environment: "test", instance: instances[0], restarts: 1, words },
  ]);
  expect(await server.call("getStatus", {})).toMatchObject({
    services: [{ cells: [{ release: 1, healthy: false, restarted: [words], last: { outcome: "succeeded" } }, {}] }],
  });
});

test("who looks at the fleet is told when what serves falls ill, and when it is well again; the record has nothing of it", async () => {
  await using place = await openDeploymentsPlace();
  const { db, url, log } = place.database;
  await using wake = await openWake(url, log);
  const stopping = new AbortController();
  let told = 0;
  await createEventFeed({ db, wake, log, stopping: stopping.signal }).listen(
    ({ changed }) => void (told += changed.filter((subject) => subject === "health").length),
  );
  place.world.services = ["orders"];
  await using server = await place.server();
  await server.publish("orders", commitNumber(1));
  await server.deploy("orders", 1);
  const isHealthy = async () => {
    const status = await server.call("getStatus", {});
    return !isRefusal(status) && status.services[0]?.cells[0]?.healthy;
  };
  /** Told anew, and so. */
  const untilTold = async (since: number, healthy: boolean) =>
    until(async () => told > since && (await isHealthy()) === healthy);
  await untilTold(0, true);
  const events = await place.eventNames();
  for (const healthy of [false, true]) {
    const before = told;
    place.world.healthy = () => healthy;
    await untilTold(before, healthy);
  }
  expect(await place.eventNames()).toEqual(events);
  stopping.abort();
});

test("a container that was changed by hand is replaced by what was deployed", async () => {
  await using scene = await openScene();
  const { place } = scene;
  const [instance] = await place.runtime.list({ service: "orders" });
  if (!instance) throw new Error("nothing runs");
  await place.runtime.remove(instance.id);
  await place.runtime.pull("orders");
  const { name, environment, labels } = instance;
  await place.runtime.start({
    ...{ name, environment, labels, kind: "service" },
    image: "orders",
    env: {},
    cpu: 1,
    memory: 1024,
  });
  await until(async () => (await place.runtime.list({ service: "orders" }))[0]?.image === instance.image);
  await until(async () => (await place.serving("orders")).instances.length === 1);
});

test("a route is closed by whoever may change the environment, shows it, and a pause is short", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  const params = { service: "orders", environment: "test" };
  const made = await server.call("setRouteMode", { params, body: { mode: "maintenance", seconds: 60 } });
  expect(made).toMatchObject({ mode: "maintenance" });
  expect(place.balancer.request("orders.test.localhost")).toBe(503);
  expect(await server.call("getStatus", {})).toMatchObject({
    services: [{ cells: [{ closed: { mode: "maintenance" } }, {}] }],
  });
  expect(await server.call("setRouteMode", { params, body: { mode: "open" } })).toEqual({ mode: "open", until: null });
  expect(place.balancer.request("orders.test.localhost")).not.toBe(503);
  expect(await server.call("setRouteMode", { params, body: { mode: "paused", seconds: 400 } })).toMatchObject({
    refused: "request.invalid",
  });
  const production = { params: { ...params, environment: "production" }, body: { mode: "paused" } };
  expect(await server.call("setRouteMode", production, "developer")).toMatchObject({ refused: "auth.forbidden" });
});

test("a container of a deployment that is over, or unknown, is removed; others are left alone", async () => {
  await using scene = await openScene();
  const { place, instances } = scene;
  const spec = { environment: "test", image: "orders", env: {}, cpu: 1, memory: 1024, kind: "service" } as const;
  await place.runtime.pull("orders");
  await place.runtime.start({ ...spec, name: "stray", labels: { deployment: "5bd1e0f5-6e6c-4f0a-8a3a-000000000000" } });
  await place.runtime.start({ ...spec, name: "guest", labels: { purpose: "by hand" } });
  await until(async () => (await place.runtime.list({})).every(({ name }) => name !== "stray"));
  expect((await place.runtime.list({})).map(({ name }) => name).toSorted()).toEqual(["guest", ...instances]);
});

test("an environment whose file is gone serves on until somebody ends it; then its instances, routes and network go", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  const remove = () => server.call("removeEnvironment", { params: { environment: "test" } });
  expect(await remove()).toMatchObject({ refused: "conflict", fix: expect.stringContaining("Remove the file") });
  place.world.environments = { production: "target: docker\n" };
  expect(await server.call("getStatus", {})).toMatchObject({
    left: { environments: [{ environment: "test", services: ["orders"] }], services: [] },
  });
  expect((await place.serving("orders")).releases).toEqual([1]);

  expect(await remove()).toEqual({ services: ["orders"] });
  await until(async () => (await place.runtime.environments()).length === 0);
  expect(await place.runtime.list({})).toEqual([]);
  expect(place.balancer.request("orders.test.localhost")).toBe(404);
  expect(await server.call("getStatus", {})).toMatchObject({ left: { environments: [], services: [] } });
  expect(await remove()).toMatchObject({ refused: "not-found" });
  expect(await place.events("deployments.environment-removed")).toEqual([
    { environment: "test", services: ["orders"], actor: "ada" },
  ]);
});

test("a service that no repository describes any more serves on until somebody ends it; then its instances and routes go", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  place.world.services.push("catalog");
  place.world.manifests.set(commitNumber(2), manifestOf("catalog", "needs: [orders]\n"));
  place.world.manifests.set(commitNumber(3), manifestOf("catalog"));
  for (const number of [2, 3]) await server.publish("catalog", commitNumber(number));
  expect(await server.deploy("catalog", 1)).toMatchObject({ outcome: "succeeded", reason: null });
  const remove = () => server.call("removeService", { params: { service: "orders" } });
  expect(await remove()).toMatchObject({
    refused: "conflict",
    message: "orders is described by towline.yml in orders",
  });

  place.world.gone = ["orders"];
  expect(await server.call("getStatus", {})).toMatchObject({
    left: { environments: [], services: [{ service: "orders", environments: ["test"] }] },
  });
  expect(await remove()).toMatchObject({ refused: "conflict", message: "catalog in test needs orders" });
  expect((await place.serving("orders")).releases).toEqual([1]);

  await server.deploy("catalog", 2);
  expect(await remove()).toEqual({ environments: ["test"] });
  await until(() => place.balancer.request("orders.test.localhost") === 404);
  expect(await place.runtime.list({ service: "orders" })).toEqual([]);
  expect((await place.serving("catalog")).releases).toEqual([2]);
  const status = await server.call("getStatus", {});
  expect(status).toMatchObject({ left: { services: [] }, services: [{ service: "catalog" }] });
  expect(await remove()).toMatchObject({ refused: "not-found" });
  expect((await place.events("deployments.serving-changed")).at(-1)).toEqual({
    ...{ service: "orders", environment: "test", commits: [] },
  });
  expect(await place.events("deployments.service-removed")).toEqual([
    { service: "orders", environments: ["test"], actor: "ada" },
  ]);
});

test("the network of an environment that is gone stays while a backing service or anything else is in it", async () => {
  await using scene = await openScene(usingDatabase, withDatabase("postgres:17"));
  const { place, server } = scene;
  await place.runtime.ensureNetwork("gone");
  place.world.environments = {};
  await until(async () => !(await place.runtime.environments()).includes("gone"));
  await server.call("removeEnvironment", { params: { environment: "test" } });
  await until(async () => (await place.runtime.list({})).length === 1);
  await place.runtime.ensureNetwork("gone too");
  await until(async () => !(await place.runtime.environments()).includes("gone too"));
  expect(await place.runtime.environments()).toEqual(["test"]);
  const db = { params: { environment: "test", name: "db" }, query: { destroyData: "true" } };
  expect(await server.call("removeBacking", db)).toEqual({ removed: true });
  await until(async () => (await place.runtime.environments()).length === 0);
});

test("a balancer that lost everything is brought back from the tables", async () => {
  await using scene = await openScene();
  const { place, instances } = scene;
  await place.balancer.remove();
  expect(place.balancer.request("orders.test.localhost")).toBe(404);
  await until(() => typeof place.balancer.request("orders.test.localhost") === "object");
  expect((await place.serving("orders")).instances).toEqual(instances);
});

test("a backing service runs before the service starts, and the service gets its address and password", async () => {
  await using scene = await openScene(usingDatabase, withDatabase("postgres:17"));
  const [backing] = await scene.place.runtime.list({ backing: "db" });
  expect(backing).toMatchObject({
    name: "backing-test-db-g1",
    image: "postgres:17",
    state: "running",
    kind: "backing",
  });
  expect(scene.place.made[0]).toBe("backing-test-db-g1");
});

test("a backing service stays as it is over deployments, and is replaced, the old one first ended, when its specification changes", async () => {
  await using scene = await openScene(usingDatabase, withDatabase("postgres:17"));
  const { place, server } = scene;
  const [before] = await place.runtime.list({ backing: "db" });
  await server.deploy("orders", 1);
  expect(await place.runtime.list({ backing: "db" })).toEqual([before]);
  place.world.environments["test"] = withDatabase("postgres:18");
  place.world.behave = () => {
    // Two at once on one volume would ruin it.
    expect(running).toBe(0);
    return {};
  };
  let running = 0;
  const stop = place.runtime.stop.bind(place.runtime);
  running = (await place.runtime.list({ backing: "db" })).length;
  place.runtime.stop = async (id, options) => {
    await stop(id, options);
    running = (await place.runtime.list({ backing: "db" })).filter(({ state }) => state === "running").length;
  };
  expect(await server.deploy("orders", 1)).toMatchObject({ outcome: "succeeded" });
  expect(await place.runtime.list({ backing: "db" })).toMatchObject([
    { name: "backing-test-db-g2", image: "postgres:18", state: "running" },
  ]);
});

test("a backing service that takes no connections fails the deployment and says so", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  place.world.environments["test"] = withDatabase("postgres:17");
  place.world.manifests.set(commitNumber(2), usingDatabase);
  place.world.healthy = (instance) => !instance.startsWith("backing-");
  await server.publish("orders", commitNumber(2));
  const ended = await server.deploy("orders", 2);
  expect(ended).toMatchObject({ outcome: "failed", reason: expect.stringContaining("db takes no connections yet") });
  expect((await place.serving("orders")).releases).toEqual([1]);
});

test("logs show the instances that serve, with secrets masked", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  place.world.secrets["KEY"] = "hunter22";
  place.world.behave = () => ({ output: ["my key is hunter22"] });
  await server.deploy("orders", 1);
  const logs = await server.call("instanceLogs", { params: { service: "orders", environment: "test" } });
  expect(logs).toMatchObject({ instances: [{ state: "running", lines: ["my key is •••"] }] });
  place.runtime.engineDown = true;
  expect(await server.call("instanceLogs", { params: { service: "orders", environment: "test" } })).toMatchObject({
    refused: "host.docker-missing",
  });
  expect(await server.call("getStatus", {})).toMatchObject({
    services: [{ cells: [{ release: 1, healthy: null, instances: { healthy: null, wanted: 1 } }, {}] }],
  });
});

describe("on a machine that is to be left", () => {
  const leave = async ({ place }: Scene) => {
    const [instance] = await place.runtime.list({ service: "orders" });
    place.runtime.leave(instance!.id, "machine-2");
    return instance!.name;
  };

  test("an instance serves until the one that comes in its place is healthy, then ends what it has and goes", async () => {
    await using scene = await openScene();
    const { place } = scene;
    const before = (await place.serving("orders")).instances;
    place.world.healthy = (name) => before.includes(name);
    const left = await leave(scene);
    await until(async () => (await place.serving("orders")).all.length > before.length);
    expect((await place.serving("orders")).instances).toEqual(before);
    place.world.sessions = (name) => (name === left ? 1 : 0);
    place.world.healthy = () => true;
    await until(async () => !(await place.serving("orders")).instances.includes(left));
    expect((await place.serving("orders")).all).toContain(left);
    place.world.sessions = () => 0;
    await until(async () => !(await place.serving("orders")).all.includes(left));
    expect((await place.serving("orders")).instances).toHaveLength(before.length);
    expect(await place.events("deployments.drift-found")).toMatchObject([
      { drift: [`${left} is to leave the machine machine-2: another one comes first`] },
    ]);
  });

  test("an instance for which no other machine has room stays, and this is told once", async () => {
    await using scene = await openScene();
    const { place } = scene;
    const { all } = await place.serving("orders");
    place.world.behave = ({ name }) => (all.includes(name) ? {} : { exitCode: 1 });
    await leave(scene);
    await until(async () => (await place.events("deployments.scaling-troubled")).length > 0);
    await until(async () => (await place.serving("orders")).all.length === all.length);
    expect((await place.serving("orders")).instances).toEqual(all);
  });
});
