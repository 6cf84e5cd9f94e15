/** Every strategy through the whole module: database, jobs, a runtime and a balancer in memory. */
import { expect, test } from "vitest";
import { type DeploymentsPlace, openDeploymentsPlace } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

async function openScene(release: string, health = "/health") {
  const place = await openDeploymentsPlace();
  const manifest = (path: string) =>
    `service: orders\nhttp: { port: 8080, health: ${path} }\nrun: { instances: 3 }\nrelease: { drain: 200ms, ${release} }\n`;
  place.world.manifests.set(commitNumber(1), manifest("/health"));
  place.world.manifests.set(commitNumber(2), manifest(health));
  const server = await place.server();
  for (const n of [1, 2]) await server.publish("orders", commitNumber(n), `variant ${n}`);
  await server.deploy("orders", 1);
  const seen = watchMoments(place);
  const dispose = async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { place, server, seen, [Symbol.asyncDispose]: dispose };
}

interface Moment {
  /** How many of each release run, and how many get traffic. */
  running: Record<number, number>;
  serving: number;
}

/** What could be seen after each change of engine or balancer. */
function watchMoments(place: DeploymentsPlace): Moment[] {
  const moments: Moment[] = [];
  const look = async () => {
    const present = await place.runtime.list({ service: "orders" });
    const running = present.filter(({ state }) => state === "running").map(({ labels }) => Number(labels["release"]));
    const { instances } = await place.serving("orders");
    const count = (release: number) => running.filter((each) => each === release).length;
    moments.push({ running: { 1: count(1), 2: count(2) }, serving: instances.length });
  };
  const watched = <A extends unknown[], R>(call: (...all: A) => Promise<R>) =>
    async function changed(...all: A): Promise<R> {
      const answer = await call(...all);
      await look();
      return answer;
    };
  const { runtime, balancer } = place;
  runtime.start = watched(runtime.start.bind(runtime));
  runtime.stop = watched(runtime.stop.bind(runtime));
  balancer.setSlots = watched(balancer.setSlots);
  return moments;
}

const total = ({ running }: Moment) => (running[1] ?? 0) + (running[2] ?? 0);

test("replace: the two releases never run at the same time", async () => {
  await using scene = await openScene("strategy: replace");
  const ended = await scene.server.deploy("orders", 2);
  expect(ended.outcome).toBe("succeeded");
  expect(scene.seen.some(({ running }) => (running[1] ?? 0) > 0 && (running[2] ?? 0) > 0)).toBe(false);
  expect((await scene.place.serving("orders")).all).toHaveLength(3);
});

test("replace: a release that does not come up gives way to the one before", async () => {
  await using scene = await openScene("strategy: replace");
  const { place, server } = scene;
  place.world.healthy = (instance) => !instance.includes("-r2-");
  expect(await server.deploy("orders", 2)).toMatchObject({ outcome: "rolled-back" });
  expect(scene.seen.some(({ running }) => (running[1] ?? 0) > 0 && (running[2] ?? 0) > 0)).toBe(false);
  expect(await place.serving("orders")).toMatchObject({ releases: [1], all: { length: 3 } });
});

test("rolling: never more than one above the number that is wanted, never fewer with traffic", async () => {
  await using scene = await openScene("strategy: rolling");
  const ended = await scene.server.deploy("orders", 2);
  expect(ended.outcome).toBe("succeeded");
  expect(Math.max(...scene.seen.map(total))).toBe(4);
  expect(Math.min(...scene.seen.map(({ serving }) => serving))).toBe(3);
  expect(await scene.place.serving("orders")).toMatchObject({ releases: [2], all: { length: 3 } });
});

test("rolling: on the way back the same numbers hold", async () => {
  await using scene = await openScene("strategy: rolling, surge: 0, unavailable: 1");
  const { place, server } = scene;
  place.world.healthy = (instance) => !(instance.includes("-r2-") && instance.endsWith("-3"));
  expect(await server.deploy("orders", 2)).toMatchObject({
    outcome: "rolled-back",
    reason: expect.stringContaining("is not healthy"),
  });
  expect(Math.max(...scene.seen.map(total))).toBe(3);
  expect(Math.min(...scene.seen.map(({ serving }) => serving))).toBe(2);
  expect(await place.serving("orders")).toMatchObject({ releases: [1], all: { length: 3 } });
});

test("a canary goes from share to share, and says what was compared", async () => {
  await using scene = await openScene("strategy: canary, steps: [10%, 20ms, 50%, 20ms]");
  const ended = await scene.server.deploy("orders", 2);
  expect(ended.outcome).toBe("succeeded");
  const looks = ended.steps.filter(({ phase }) => phase === "observe");
  expect(looks.map(({ detail }) => detail)).toEqual([
    expect.stringMatching(/^\d+ requests, too few to compare: 50 are needed$/),
    expect.stringMatching(/^\d+ requests/),
  ]);
  expect(Math.max(...scene.seen.map(total))).toBe(6);
  expect(await scene.place.serving("orders")).toMatchObject({ releases: [2], all: { length: 3 } });
});

test("a warm-up moves the traffic little by little", async () => {
  await using scene = await openScene("warm-up: 60ms");
  const ended = await scene.server.deploy("orders", 2);
  expect(ended.outcome).toBe("succeeded");
  expect(ended.steps.filter(({ phase }) => phase === "swap")).toHaveLength(4);
});

test("where the health path is another one, traffic cannot be divided and moves at once", async () => {
  await using scene = await openScene("strategy: canary, steps: [10%, hold]", "/ready");
  const ended = await scene.server.deploy("orders", 2);
  expect(ended.outcome).toBe("succeeded");
  expect(ended.steps.find(({ phase }) => phase === "plan")?.detail).toContain("all traffic moves at once");
});

test("a rollback goes the way of the release it goes to, and runs the very image", async () => {
  await using scene = await openScene("strategy: rolling");
  const { server, place } = scene;
  const before = (await place.runtime.list({ release: "1" })).map(({ image }) => image);
  await server.deploy("orders", 2);
  const made = await server.call("rollBack", { body: { service: "orders", environment: "test" } });
  await server.ended((made as { id: string }).id);
  expect((await place.runtime.list({ release: "1" })).map(({ image }) => image)).toEqual(before);
});

test("done is said only when what was asked for serves: another container in the traffic is told by name", async () => {
  await using scene = await openScene("strategy: blue-green");
  const { place, server } = scene;
  const serving = place.balancer.serving.bind(place.balancer);
  place.balancer.serving = async (route) => [...(await serving(route)), "10.99.0.9:8080"];
  const ended = await server.deploy("orders", 2);
  expect(ended).toMatchObject({
    outcome: "rolled-back",
    reason: expect.stringContaining("what serves is not what was asked for: 10.99.0.9:8080 gets traffic too"),
  });
  expect((await place.serving("orders")).releases).toEqual([1]);
});

const place = { service: "orders", environment: "test" };

test("a canary that holds waits for a person: promoted it goes on", async () => {
  await using scene = await openScene("strategy: canary, steps: [10%, hold]");
  const { server } = scene;
  const made = (await server.call("createDeployment", { body: { ...place, release: 2 } })) as { id: string };
  const phase = async () => {
    const shown = await server.call("showDeployment", { params: made });
    return "phase" in shown ? shown.phase : undefined;
  };
  await until(async () => (await phase()) === "hold");
  expect((await scene.place.serving("orders")).releases.toSorted()).toEqual([1, 2]);
  const status = await server.call("getStatus", {});
  expect(status).toMatchObject({ services: [{ cells: [{ release: 1 }, {}] }] });
  expect(await server.call("promoteDeployment", { params: made })).toMatchObject({ id: made.id });
  expect(await server.ended(made.id)).toMatchObject({ outcome: "succeeded" });
  expect(await server.call("promoteDeployment", { params: made })).toMatchObject({ refused: "deployment.wrong-state" });
});

test("paused, a rollout moves no more traffic; aborted, the release before has all of it", async () => {
  await using scene = await openScene("strategy: canary, steps: [10%, 1h]");
  const { server, place: at } = scene;
  const made = (await server.call("createDeployment", { body: { ...place, release: 2 } })) as { id: string };
  const phase = async () => {
    const shown = await server.call("showDeployment", { params: made });
    return "phase" in shown ? shown.phase : undefined;
  };
  await until(async () => (await phase()) === "observe");
  expect(await server.call("pauseDeployment", { params: made })).toMatchObject({ pausedBy: "ada", phase: "hold" });
  expect((await at.serving("orders")).releases.toSorted()).toEqual([1, 2]);
  await server.call("cancelDeployment", { params: made });
  expect(await server.ended(made.id)).toMatchObject({ outcome: "canceled", reason: "canceled by ada" });
  expect(await at.serving("orders")).toMatchObject({ releases: [1], all: { length: 3 } });
  expect(await server.call("pauseDeployment", { params: made })).toMatchObject({ refused: "deployment.wrong-state" });
});

test("going back needs no registry: the image is on the host", async () => {
  await using scene = await openScene("strategy: blue-green");
  const { server, place: at } = scene;
  await server.deploy("orders", 2);
  at.runtime.registryDown = true;
  const made = (await server.call("rollBack", { body: place })) as { id: string };
  expect(await server.ended(made.id)).toMatchObject({ outcome: "succeeded", release: 1 });
  expect((await at.serving("orders")).releases).toEqual([1]);
});
