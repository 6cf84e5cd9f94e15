/** The number of instances follows the load: the whole module with a database and jobs, runtime and balancer in memory. */
import { expect, test } from "vitest";
import { RuntimeError } from "#drivers/runtime/contract.ts";
import { type DeploymentsServer, openDeploymentsPlace, quickTiming } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";
import { settleMs } from "./core/scale.ts";

const manifest = (scale: string, drain = "200ms") =>
  `service: orders\nhttp: { port: 8080 }\nrelease: { drain: ${drain} }\nrun: { instances: 2..5, scale: { ${scale} } }\n`;

/** Time passes as the test says, so that nothing has to be waited for. */
async function openScene(scale = "cpu: 50%, calm: 30s", drain?: string) {
  const place = await openDeploymentsPlace();
  place.world.services = ["orders"];
  for (const n of [1, 2]) place.world.manifests.set(commitNumber(n), manifest(scale, drain));
  const clock = { ahead: 0 };
  const tuning = {
    clock: { now: () => new Date(Date.now() + clock.ahead) },
    timing: { ...quickTiming, scaleMs: 20 },
  };
  const servers: DeploymentsServer[] = [];
  const server = async () => {
    const started = await place.server(tuning);
    servers.push(started);
    return started;
  };
  const first = await server();
  for (const n of [1, 2]) await first.publish("orders", commitNumber(n), `variant ${n}`);
  await first.deploy("orders", 1);
  const dispose = async () => {
    for (const each of servers) await each[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  const cell = async (of: DeploymentsServer = first) => {
    const status = await of.call("getStatus", {});
    return "services" in status ? status.services[0]?.cells[0] : undefined;
  };
  const running = async () => (await place.runtime.list({ service: "orders" })).length;
  return {
    ...{ place, server, first, cell, running, pass: (ms: number) => void (clock.ahead += ms) },
    /** Every instance that runs keeps so much of a processor busy. */
    async busy(share: number) {
      for (const { id } of await place.runtime.list({ service: "orders" })) place.runtime.busy(id, share);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

type Scene = Awaited<ReturnType<typeof openScene>>;

const serving = async ({ place }: Scene) => (await place.serving("orders")).instances.length;

/** Lets calm time pass, look by look, until so many serve. */
async function calmDown(scene: Scene, count: number): Promise<void> {
  await scene.busy(0);
  await until(async () => {
    scene.pass(2_000);
    return (await serving(scene)) === count;
  });
}

test("under load more come at once, and when it is calm one after the other goes, down to the fewest", async () => {
  await using scene = await openScene();
  expect(await serving(scene)).toBe(2);
  await scene.busy(1);
  await until(async () => (await serving(scene)) === 4);
  expect(await scene.cell()).toMatchObject({ drift: [], instances: { wanted: 4 }, scale: { min: 2, max: 5 } });
  await calmDown(scene, 2);
  await until(async () => (await scene.running()) === 2);
  const scaled = await scene.place.events("deployments.scaled");
  expect(scaled.map(({ from, to }) => [from, to])).toEqual([
    [2, 4],
    [4, 3],
    [3, 2],
  ]);
  expect(scaled[0]?.reason).toMatch(/^cpu \d+ % of 50 %$/);
  expect(await scene.place.events("deployments.drift-found")).toEqual([]);
  expect(await scene.cell()).toMatchObject({ drift: [], healthy: true, instances: { healthy: 2, wanted: 2 } });
});

test("one that goes gets nothing new, and ends when its open requests have; cut ones are told", async () => {
  await using scene = await openScene("cpu: 50%, calm: 30s", "20s");
  await scene.busy(1);
  await until(async () => (await serving(scene)) === 4);
  let open = 1;
  const last = (await scene.place.runtime.list({ service: "orders" })).at(-1)?.name;
  scene.place.world.sessions = (instance) => (instance === last ? open : 0);
  await calmDown(scene, 3);
  expect(await scene.cell()).toMatchObject({ drift: [], instances: { wanted: 3 }, scale: { leaving: 1 } });
  expect(await scene.running()).toBe(4);
  open = 0;
  await until(async () => (await scene.running()) === 3);
  expect(await scene.place.events("deployments.scaling-troubled")).toEqual([]);
  scene.place.world.sessions = () => 2;
  await calmDown(scene, 2);
  const troubles = () => scene.place.events("deployments.scaling-troubled");
  await until(async () => {
    scene.pass(5_000);
    return (await troubles()).length > 0;
  });
  expect(await scene.running()).toBe(2);
  expect(await troubles()).toMatchObject([{ trouble: "2 open requests were cut off when the drain time was over" }]);
});

test("a release begins with as many as served before it, and nothing is scaled while it is on its way", async () => {
  await using scene = await openScene();
  const { place, first } = scene;
  await scene.busy(1);
  await until(async () => (await serving(scene)) === 4);
  await calmDown(scene, 3);
  place.world.environments["test"] = "target: docker\nwatch: 20s\n";
  const made = await first.call("createDeployment", { body: { service: "orders", environment: "test", release: 2 } });
  await until(async () => (await place.serving("orders")).releases.includes(2));
  expect(await serving(scene)).toBe(3);
  await scene.busy(1);
  scene.pass(30_000);
  expect(await first.ended((made as { id: string }).id)).toMatchObject({ outcome: "succeeded" });
  const told = await place.eventNames();
  const way = told.slice(
    told.lastIndexOf("deployments.deployment-created"),
    told.lastIndexOf("deployments.deployment-finished"),
  );
  expect(way).not.toContain("deployments.scaled");
  scene.pass(settleMs);
  await until(async () => (await serving(scene)) === 5);
  expect((await place.serving("orders")).releases).toEqual([2]);
});

test("the number, and what was begun, outlive the control plane", async () => {
  await using scene = await openScene();
  const { place, first } = scene;
  const start = place.runtime.start.bind(place.runtime);
  let tried = 0;
  place.runtime.start = async () => {
    tried += 1;
    throw new RuntimeError("docker-unreachable", "the engine does not answer");
  };
  await scene.busy(1);
  await until(() => tried > 0);
  await first[Symbol.asyncDispose]();
  place.runtime.start = start;
  await scene.busy(0.5);
  const second = await scene.server();
  await until(async () => (await serving(scene)) === 4);
  expect(await scene.cell(second)).toMatchObject({ instances: { healthy: 4, wanted: 4 }, drift: [] });
  expect(await scene.running()).toBe(4);
});

test("one more that cannot be started is told, and those that serve go on", async () => {
  await using scene = await openScene();
  scene.place.world.behave = ({ name }) => (name.endsWith("-4") ? { exitCode: 1 } : {});
  await scene.busy(1);
  await until(async () => (await serving(scene)) === 3);
  const [trouble] = await scene.place.events("deployments.scaling-troubled");
  expect(trouble?.instance).toMatch(/-4$/);
  expect(trouble?.trouble).toContain("exited at once with 1");
  expect(await scene.cell()).toMatchObject({ drift: [], healthy: true, instances: { wanted: 3 } });
});

test("requests and times are followed too, and the time until an answer begins tells too few", async () => {
  await using scene = await openScene("p95: 100ms, calm: 1h");
  const { place } = scene;
  await until(async () => {
    place.balancer.count("orders.test", 0, { requests: 20 });
    place.balancer.time(
      "orders.test",
      0,
      Array.from({ length: 20 }, () => 180),
    );
    return (await serving(scene)) > 2;
  });
  expect((await place.events("deployments.scaled"))[0]?.reason).toMatch(/^p95 1\d\d ms of 100 ms$/);
});
