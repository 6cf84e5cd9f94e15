import { expect, test } from "vitest";
import type { ContainerSpec } from "#drivers/runtime/contract.ts";
import { openDeploymentsPlace, patientTiming } from "#testing/deployments-place.ts";
import { manifestOf } from "#testing/deployments-world.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

/** Releases 1 and 2 of `orders` are there, and 1 serves. */
async function openScene(manifest = manifestOf("orders")) {
  const place = await openDeploymentsPlace();
  for (const n of [1, 2, 3]) place.world.manifests.set(commitNumber(n), manifest);
  const server = await place.server({ timing: patientTiming });
  for (const n of [1, 2]) await server.publish("orders", commitNumber(n));
  await server.deploy("orders", 1);
  const { instances: old } = await place.serving("orders");
  const dispose = async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { place, server, old, [Symbol.asyncDispose]: dispose };
}

const migrating = "service: orders\nhttp: { port: 8080 }\nrelease: { drain: 200ms, migrate: [node, migrate.js] }\n";

type Scene = Awaited<ReturnType<typeof openScene>>;

async function expectOldServes({ place, old }: Scene): Promise<void> {
  const serving = await place.serving("orders");
  expect(serving).toEqual({ releases: [1], instances: old, all: old });
}

test("a release is deployed, its traffic shifted, and nothing is left of the one before", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  const ended = await server.deploy("orders", 2);
  expect(ended).toMatchObject({ outcome: "succeeded", reason: null, actor: "ada", commit: commitNumber(2) });
  expect(ended.steps.map(({ phase }) => phase)).toEqual([
    ...["plan", "prepare", "pull", "start", "probe", "swap", "drain", "watch", "verify", "stop"],
  ]);
  expect(ended.steps.every(({ milliseconds }) => milliseconds !== null)).toBe(true);
  const serving = await place.serving("orders");
  expect(serving.releases).toEqual([2]);
  expect(serving.all).toEqual(serving.instances);
  expect((await place.events("deployments.deployment-changed")).map(({ phase }) => phase)).toContain("swap");
});

test("a deployment to an environment that the engine cannot serve fails before anything is made, and says what to do", async () => {
  await using scene = await openScene();
  scene.place.world.unfit["test"] = "run `docker swarm init`";
  const ended = await scene.server.deploy("orders", 2);
  expect(ended).toMatchObject({ outcome: "failed", reason: "run `docker swarm init`" });
  await expectOldServes(scene);
});

test("a release that exits at once fails with its last words, and the one before serves on", async () => {
  await using scene = await openScene();
  scene.place.world.secrets["KEY"] = "hunter22";
  scene.place.world.behave = () => ({ exitCode: 3, output: ["listening", "key hunter22 is wrong"] });
  const ended = await scene.server.deploy("orders", 2);
  expect(ended.outcome).toBe("failed");
  expect(ended.reason).toContain("exited at once with 3");
  expect(ended.reason).toContain("key ••• is wrong");
  await expectOldServes(scene);
});

test("a release that never answers its health check fails after the deadline, and the one before serves on", async () => {
  await using scene = await openScene();
  const { world } = scene.place;
  world.behave = () => ({ output: ["waiting for a queue"] });
  world.healthy = (instance) => !instance.includes("-r2-");
  const ended = await scene.server.deploy("orders", 2);
  expect(ended.outcome).toBe("failed");
  expect(ended.reason).toMatch(/is not healthy: 503, after \d+ s\n {2}waiting for a queue/);
  expect(ended.steps.find(({ phase }) => phase === "probe")?.detail).toContain("is not healthy");
  await expectOldServes(scene);
});

test("a release that crashes before it is healthy fails at once", async () => {
  await using scene = await openScene();
  const { world } = scene.place;
  world.behave = () => ({ exitCode: 1, afterMs: 20, oomKilled: true });
  world.healthy = (instance) => !instance.includes("-r2-");
  const ended = await scene.server.deploy("orders", 2);
  expect(ended).toMatchObject({ outcome: "failed", reason: expect.stringContaining("it ran out of memory") });
  await expectOldServes(scene);
});

test("errors under traffic take a release back, with their count as the reason", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  place.world.environments["test"] = "target: docker\nwatch: 20s\n";
  const made = await server.call("createDeployment", { body: { service: "orders", environment: "test", release: 2 } });
  const deployment = (made as { id: string }).id;
  await until(async () => (await place.serving("orders")).releases.includes(2));
  const slot = 1;
  await until(async () => {
    place.balancer.count("orders.test", slot, { requests: 10, serverErrors: 10 });
    const shown = await server.call("showDeployment", { params: { id: deployment } });
    return "state" in shown && shown.state === "finished";
  });
  const ended = await server.ended(deployment);
  expect(ended).toMatchObject({ outcome: "rolled-back", reason: expect.stringMatching(/\d+ of \d+ requests failed/) });
  await expectOldServes(scene);
});

test("a first release that crashes under traffic fails, and nothing is left of it", async () => {
  await using place = await openDeploymentsPlace();
  place.world.environments["test"] = "target: docker\nwatch: 20s\n";
  await using server = await place.server();
  await server.publish("orders", commitNumber(1));
  place.world.behave = () => ({ exitCode: 1, afterMs: 200 });
  expect(await server.deploy("orders", 1)).toMatchObject({ outcome: "failed" });
  expect(await place.serving("orders")).toEqual({ releases: [], instances: [], all: [] });
  const status = await server.call("getStatus", {});
  expect(status).toMatchObject({ services: [{ cells: [{ release: null, last: { outcome: "failed" } }, {}] }] });
});

test("when the release before does not come back either, the new one keeps the traffic and the deployment says so", async () => {
  await using scene = await openScene();
  const { place, server, old } = scene;
  place.world.environments["test"] = "target: docker\nwatch: 20s\n";
  const made = await server.call("createDeployment", { body: { service: "orders", environment: "test", release: 2 } });
  await until(async () => (await place.serving("orders")).releases.includes(2));
  place.world.healthy = (instance) => !old.includes(instance);
  for (const { id } of await place.runtime.list({ release: "2" })) place.runtime.crash(id, 1);
  const ended = await server.ended((made as { id: string }).id);
  expect(ended).toMatchObject({ outcome: "failed", reason: expect.stringContaining("did not come back") });
  const serving = await place.serving("orders");
  expect(serving.releases).toEqual([2]);
  expect(serving.all).toEqual(serving.instances);
});

test("when a machine is lost with a new instance, the release before serves again, and the reason names the machine", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  place.world.environments["test"] = "target: docker\nwatch: 20s\n";
  const made = await server.call("createDeployment", { body: { service: "orders", environment: "test", release: 2 } });
  await until(async () => (await place.serving("orders")).releases.includes(2));
  for (const { id } of await place.runtime.list({ release: "2" })) place.runtime.lose(id, "machine-3");
  const ended = await server.ended((made as { id: string }).id);
  expect(ended).toMatchObject({ outcome: "rolled-back" });
  expect(ended.reason).toContain("it was lost with the machine machine-3");
  await expectOldServes(scene);
});

test("open requests of the old instances are waited for, and cut and counted when the drain time is over", async () => {
  await using scene = await openScene();
  const { place, server, old } = scene;
  place.world.sessions = (instance) => (old.includes(instance) ? 2 : 0);
  expect(await server.deploy("orders", 2)).toMatchObject({
    outcome: "succeeded",
    reason: "2 open requests were cut off when the drain time was over",
  });
});

test("a migration runs once before the new instances start, and a failed one stops the deployment", async () => {
  await using scene = await openScene(migrating);
  const { place, server } = scene;
  expect(await server.deploy("orders", 2)).toMatchObject({ outcome: "succeeded" });
  expect(place.made.filter((name) => name.includes("-r2-")).map((name) => name.replace(/^.*-/, ""))).toEqual([
    ...["migrate", "1"],
  ]);
  await server.publish("orders", commitNumber(3));
  place.world.behave = ({ command }) => (command ? { exitCode: 7, output: ["no such table"] } : {});
  const ended = await server.deploy("orders", 3);
  expect(ended).toMatchObject({ outcome: "failed", reason: "the migration ended with 7\n  no such table" });
  const serving = await place.serving("orders");
  expect(serving.releases).toEqual([2]);
  expect(serving.all).toEqual(serving.instances);
});

test("a secret that nobody has set stops the deployment before anything starts; once it is set, it is where the manifest says", async () => {
  await using scene = await openScene();
  const secrets = "secrets: [PAYMENT_KEY, { name: PAYMENT_KEY, file: /run/secrets/payment }]\n";
  scene.place.world.manifests.set(commitNumber(3), manifestOf("orders", secrets));
  await scene.server.publish("orders", commitNumber(3));
  const made = scene.place.made.length;
  const ended = await scene.server.deploy("orders", 3);
  expect(ended.outcome).toBe("failed");
  expect(ended.reason).toBe(
    "PAYMENT_KEY is not set for orders in test: run `towline secret set PAYMENT_KEY --service orders --environment test`",
  );
  expect(scene.place.made).toHaveLength(made);
  scene.place.world.secrets = { PAYMENT_KEY: "pay" };
  const specs: ContainerSpec[] = [];
  scene.place.world.behave = (spec) => {
    specs.push(spec);
    return {};
  };
  expect(await scene.server.deploy("orders", 3)).toMatchObject({ outcome: "succeeded" });
  const file = { path: "/run/secrets/payment", content: "pay", uid: "image" };
  expect(specs).toMatchObject([{ env: { PAYMENT_KEY: "pay" }, files: [file] }]);
});

test("a deployment rides out an engine and a balancer that do not answer", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  place.runtime.engineDown = true;
  place.balancer.down = true;
  const made = await server.call("createDeployment", { body: { service: "orders", environment: "test", release: 2 } });
  const { id } = made as { id: string };
  await until(async () => {
    const shown = await server.call("showDeployment", { params: { id } });
    return "detail" in shown && shown.detail !== null;
  });
  place.runtime.engineDown = false;
  place.balancer.down = false;
  expect(await server.ended(id)).toMatchObject({ outcome: "succeeded" });
  expect((await place.serving("orders")).releases).toEqual([2]);
});

test("a release with another health path takes over without a moment in which nobody serves", async () => {
  await using scene = await openScene();
  const { place, server } = scene;
  place.world.manifests.set(commitNumber(3), "service: orders\nhttp: { port: 9090, health: /ready }\n");
  await server.publish("orders", commitNumber(3));
  const paths: unknown[] = [];
  const apply = place.balancer.apply.bind(place.balancer);
  place.balancer.apply = async (config) => {
    await apply(config);
    paths.push(place.balancer.request("orders.test.localhost"));
  };
  expect(await server.deploy("orders", 3)).toMatchObject({ outcome: "succeeded" });
  expect((await place.serving("orders")).releases).toEqual([3]);
  expect(paths.filter((answer) => typeof answer === "number")).toEqual([]);
  expect(await server.deploy("orders", 3)).toMatchObject({ outcome: "succeeded" });
  expect((await place.serving("orders")).all).toHaveLength(1);
});
