import { isRefusal } from "#api/errors.ts";
import { newId } from "#kernel/clock.ts";
import { expect, test } from "vitest";
import {
  type DeploymentsPlace,
  type DeploymentsServer,
  openDeploymentsPlace,
  patientTiming,
} from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

const orders = { service: "orders", environment: "test" };

/** A server that knows the releases 1 to `releases` of `orders`. */
async function openScene(releases: number) {
  const place = await openDeploymentsPlace();
  place.world.services = ["orders"];
  const server = await place.server({ timing: patientTiming });
  const builds: string[] = [];
  for (let n = 1; n <= releases; n++) builds.push((await server.publish("orders", commitNumber(n))).build);
  const dispose = async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { place, server, builds, [Symbol.asyncDispose]: dispose };
}

/** Holds every deployment at its first step until released. */
function hold(place: DeploymentsPlace): () => void {
  place.runtime.engineDown = true;
  return () => {
    place.runtime.engineDown = false;
  };
}

async function ask(
  server: DeploymentsServer,
  release: number,
  row: "createDeployment" | "rollBack" = "createDeployment",
) {
  const made = await server.call(row, { body: { ...orders, release } });
  if (isRefusal(made)) throw new Error(made.message);
  return made.id;
}

async function shown(server: DeploymentsServer, id: string) {
  const answer = await server.call("showDeployment", { params: { id } });
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
}

/** What the build's deploy step says. */
async function fromBuild(
  place: DeploymentsPlace,
  server: DeploymentsServer,
  wanted: { build: string; commit: string; environment?: string },
) {
  const request = newId();
  const facts = { repository: "orders", number: 1, branch: "main", ...orders, ...wanted, request };
  await place.database.db
    .transaction()
    .execute((tx) => server.emit(tx, `build:${wanted.build}`, "builds.deploy-requested", facts));
  return request;
}

async function endOf(place: DeploymentsPlace, request: string) {
  const find = async () =>
    (await place.events("deployments.deployment-finished")).find((each) => each.request === request);
  await until(async () => (await find()) !== undefined);
  return find();
}

test("a build's deploy step gets the deployment that began by itself, on its way, or as the one that serves", async () => {
  for (const late of [false, true]) {
    await using scene = await openScene(0);
    const { place, server } = scene;
    place.world.environments["test"] = "target: docker\nwatch: 0s\npromotion: automatic\n";
    place.runtime.engineDown = !late;
    const { build } = await server.publish("orders", commitNumber(1));
    const own = async () => {
      const answer = await server.call("listDeployments", { query: {} });
      return "deployments" in answer ? answer.deployments : [];
    };
    await until(async () => (await own()).some(({ state }) => state === (late ? "finished" : "running")));
    const request = await fromBuild(place, server, { build, commit: commitNumber(1) });
    await until(async () => (await own()).some((each) => each.build === build));
    place.runtime.engineDown = false;
    expect(await endOf(place, request)).toMatchObject({ outcome: "succeeded", release: 1 });
    expect(await own()).toMatchObject([{ release: 1, outcome: "succeeded", build }]);
  }
});

test("a build that deploys a release once more, after somebody else, gets a deployment of its own", async () => {
  await using scene = await openScene(0);
  const { place, server } = scene;
  const { build } = await server.publish("orders", commitNumber(1));
  const requests = [
    await fromBuild(place, server, { build, commit: commitNumber(1) }),
    await fromBuild(place, server, { build, commit: commitNumber(1) }),
  ];
  const ends = await Promise.all(requests.map((request) => endOf(place, request)));
  expect(new Set(ends.map((end) => end?.deployment)).size).toBe(2);
});

test("one deployment at a time: the next waits, says for whom, and then goes", async () => {
  await using scene = await openScene(2);
  const { place, server } = scene;
  const goOn = hold(place);
  const first = await ask(server, 1);
  await until(async () => (await shown(server, first)).state === "running");
  const second = await ask(server, 2);
  await until(async () => (await shown(server, second)).wait?.kind === "deployment");
  expect(await shown(server, second)).toMatchObject({ wait: { deployment: first, message: "release 1 goes first" } });
  goOn();
  expect(await server.ended(first)).toMatchObject({ outcome: "succeeded" });
  expect(await server.ended(second)).toMatchObject({ outcome: "succeeded" });
  expect((await place.serving("orders")).releases).toEqual([2]);
});

test("a waiting deployment of an older commit is superseded, visibly, when a newer one comes", async () => {
  await using scene = await openScene(3);
  const { place, server, builds } = scene;
  const goOn = hold(place);
  const first = await ask(server, 1);
  await until(async () => (await shown(server, first)).state === "running");
  const third = await ask(server, 3);
  const late = await fromBuild(place, server, { build: builds[1]!, commit: commitNumber(2) });
  expect(await endOf(place, late)).toMatchObject({
    outcome: "superseded",
    reason: "release 3, of a newer commit, is about to be deployed",
  });
  goOn();
  expect(await server.ended(third)).toMatchObject({ outcome: "succeeded" });
  const older = await server.call("createDeployment", { body: { ...orders, release: 2 } });
  expect(older).toMatchObject({ refused: "deployment.superseded", fix: expect.stringContaining("towline rollback") });
});

test("a rollback goes to the release that served before, by the same steps", async () => {
  await using scene = await openScene(3);
  const { place, server } = scene;
  for (const n of [1, 2]) await server.deploy("orders", n);
  const back = await server.call("rollBack", { body: orders }, "developer");
  expect(back).toMatchObject({ kind: "rollback", release: 1 });
  const ended = await server.ended((back as { id: string }).id);
  expect(ended).toMatchObject({ outcome: "succeeded" });
  expect(ended.steps.map(({ phase }) => phase)).toContain("watch");
  expect((await place.serving("orders")).releases).toEqual([1]);
  const never = await server.call("rollBack", { body: { ...orders, release: 3 } });
  expect(never).toMatchObject({ refused: "release.none", message: "release 3 of orders never served in test" });
});

test("a release must have served where the environment comes after, whoever asks", async () => {
  await using scene = await openScene(1);
  const { place, server, builds } = scene;
  const production = { service: "orders", environment: "production" };
  const closed = await server.call("createDeployment", { body: production }, "lead");
  expect(closed).toMatchObject({
    refused: "deployment.gate-closed",
    message: "release 1 must have served in test first",
  });
  const request = await fromBuild(place, server, {
    build: builds[0]!,
    commit: commitNumber(1),
    environment: "production",
  });
  expect(await endOf(place, request)).toMatchObject({
    outcome: "failed",
    reason: expect.stringContaining("gate-closed"),
  });
  await server.deploy("orders", 1);
  expect(await server.deploy("orders", 1, "production")).toMatchObject({ outcome: "succeeded" });
  const [test, live] = [await place.serving("orders"), await place.serving("orders", "production")];
  expect([test.releases, live.releases]).toEqual([[1], [1]]);
});

test("only leads change an environment that comes after another", async () => {
  await using scene = await openScene(1);
  const { server } = scene;
  await server.deploy("orders", 1);
  const body = { service: "orders", environment: "production" };
  expect(await server.call("createDeployment", { body }, "developer")).toMatchObject({ refused: "auth.forbidden" });
  expect(await server.call("rollBack", { body }, "developer")).toMatchObject({ refused: "release.none" });
  await server.deploy("orders", 1, "production");
  const made = await server.call("createDeployment", { body }, "lead");
  const { id } = made as { id: string };
  expect(await server.call("cancelDeployment", { params: { id } }, "developer")).toMatchObject({
    refused: "auth.forbidden",
  });
  await server.ended(id);
});

test("a build's deploy step is answered once, with the build's request", async () => {
  await using scene = await openScene(1);
  const { place, server, builds } = scene;
  const request = await fromBuild(place, server, { build: builds[0]!, commit: commitNumber(1) });
  expect(await endOf(place, request)).toMatchObject({ outcome: "succeeded", release: 1 });
  const all = await place.events("deployments.deployment-finished");
  expect(all.filter((each) => each.request === request)).toHaveLength(1);
  const status = await server.call("getStatus", {});
  expect(status).toMatchObject({
    environments: ["test", "production"],
    services: [
      { service: "orders", cells: [{ release: 1, healthy: true, url: "http://orders.test.localhost:8300" }, {}] },
    ],
  });
});

test("a build without a release, or of another branch, fails and says why", async () => {
  await using scene = await openScene(0);
  const { place, server } = scene;
  const build = newId();
  const branch = {
    repository: "orders",
    number: 1,
    branch: "topic",
    commit: commitNumber(1),
    build,
    service: "orders",
  };
  const image = { digest: `sha256:${"a".repeat(64)}`, image: "registry.test:5000/orders:topic" };
  await place.database.db
    .transaction()
    .execute((tx) => server.emit(tx, `build:${build}`, "builds.image-published", { ...branch, ...image }));
  const request = await fromBuild(place, server, { build, commit: commitNumber(1) });
  expect(await endOf(place, request)).toMatchObject({
    outcome: "failed",
    reason: "release.none: only builds of main make releases, and this one is of topic",
  });
});

test("a build that is canceled takes its waiting deployment back", async () => {
  await using scene = await openScene(2);
  const { place, server, builds } = scene;
  const goOn = hold(place);
  const first = await ask(server, 1);
  const request = await fromBuild(place, server, { build: builds[1]!, commit: commitNumber(2) });
  await until(async () =>
    (await place.events("deployments.deployment-created")).some((each) => each.request === request),
  );
  await place.database.db
    .transaction()
    .execute((tx) => server.emit(tx, `build:${builds[1]}`, "builds.deploy-canceled", { request }));
  expect(await endOf(place, request)).toMatchObject({ outcome: "canceled", reason: "canceled by its build" });
  goOn();
  await server.ended(first);
  const again = await server.call("cancelDeployment", { params: { id: first } });
  expect(again).toMatchObject({ refused: "deployment.wrong-state" });
});

test("the plan shows what would change and which gates hold", async () => {
  await using scene = await openScene(3);
  const { place, server } = scene;
  await server.deploy("orders", 1);
  place.world.environments["test"] = "target: docker\nwatch: 0s\nvariables: { LOG_LEVEL: debug }\n";
  const plan = await server.call("planDeployment", { query: { ...orders, release: "3" } });
  if (isRefusal(plan)) throw new Error(plan.message);
  expect(plan).toMatchObject({ release: 3, from: 1, back: null });
  expect(plan.changes).toContainEqual({ path: "variables.LOG_LEVEL", before: null, after: "set" });
  expect(plan.commits.map(({ message }) => message)).toEqual(["change 3", "change 2"]);
  expect(plan.gates.map(({ gate, open }) => [gate, open])).toEqual([
    ["after", true],
    ["contracts", true],
    ["lock", true],
    ["order", true],
    ["turn", true],
  ]);
});
