/** Contracts as a gate: services of two repositories, and the broker of contracts on the same database. */
import { AsyncLocalStorage } from "node:async_hooks";
import { execFile } from "node:child_process";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deploymentEndpoints } from "#api/endpoints/deployments.ts";
import { gateEndpoints } from "#api/endpoints/gates.ts";
import { placeEndpoints } from "#api/endpoints/places.ts";
import { backingEndpoints } from "#api/endpoints/backing.ts";
import { isRefusal } from "#api/errors.ts";
import { createHttp, serveEndpoints } from "#kernel/http.ts";
import { countedDatabase } from "#testing/counted-database.ts";
import { interaction, publication, startTestBroker } from "#testing/broker.ts";
import { openDeploymentsPlace, patientTiming } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { until } from "#testing/until.ts";

/** `orders` asks `catalog` for something; each has the releases 1 and 2, and release 1 of each serves in `test`. */
async function openScene(rules = "") {
  await using stack = new AsyncDisposableStack();
  const place = stack.use(await openDeploymentsPlace());
  place.world.services = ["orders", "catalog"];
  place.world.environments["test"] = `target: docker\nwatch: 0s\n${rules}\n`;
  const broker = stack.use(await startTestBroker(place.database.url));
  const asking = new AsyncLocalStorage<{ statements: number }>();
  const db = countedDatabase(place.database, () => {
    const asked = asking.getStore();
    if (asked) asked.statements++;
  });
  const server = stack.use(await place.server({ db, timing: patientTiming }));
  for (const n of [1, 2]) for (const service of place.world.services) await server.publish(service, commitNumber(n));

  const publish = async (release: number, path: string) => {
    const body = { consumer: "orders", version: commitNumber(release), provider: "catalog" };
    const { status, text } = await broker.client(
      "POST",
      "/contracts/publish",
      publication({ ...body, interactions: [interaction(path)] }),
    );
    if (status !== 200) throw new Error(text);
  };
  /** Release `by` of catalog verifies what a release of orders asks. */
  const verify = async (release: number, by: number, result: object = { success: true }) => {
    const { body } = await broker.client(
      "GET",
      `/pacts/provider/catalog/consumer/orders/version/${commitNumber(release)}`,
    );
    const { href } = body._links["pb:publish-verification-results"];
    const [{ _id: interactionId }] = body.interactions;
    const failed = { testResults: [{ interactionId, success: false, ...result }] };
    const told = "success" in result ? result : { success: false, ...failed };
    const answer = await broker.client("POST", href, { ...told, providerApplicationVersion: commitNumber(by) });
    if (answer.status !== 201) throw new Error(answer.text);
  };
  const ask = async (service: string, release: number) => {
    const made = await server.call("createDeployment", { body: { service, environment: "test", release } }, "lead");
    if (isRefusal(made)) throw new Error(made.message);
    return made.id;
  };
  const gate = async (service: string, release: number) => {
    const plan = await server.call("planDeployment", { query: { service, environment: "test", release } });
    if (isRefusal(plan)) throw new Error(plan.message);
    return plan.gates.find((each) => each.gate === "contracts");
  };
  const shown = async (id: string) => {
    const answer = await server.call("showDeployment", { params: { id } });
    if (isRefusal(answer)) throw new Error(answer.message);
    return answer;
  };
  /** What the broker's record says that is deployed in `test`, by slot. */
  const recorded = async (service: string): Promise<Record<string, string>> => {
    const { body } = await broker.client("GET", "/environments");
    const all = body._embedded.environments as { name: string; uuid: string }[];
    const uuid = all.find(({ name }) => name === "test")?.uuid;
    const found = await broker.client(
      "GET",
      `/environments/${uuid}/deployed-versions/currently-deployed?pacticipant=${service}`,
    );
    type Row = { applicationInstance?: string; _embedded: { version: { number: string } } };
    const rows = (found.body?._embedded.deployedVersions ?? []) as Row[];
    return Object.fromEntries(
      rows.map(({ applicationInstance = "", _embedded }) => [applicationInstance, _embedded.version.number]),
    );
  };
  const kept = stack.move();
  return {
    place,
    server,
    broker,
    publish,
    verify,
    ask,
    gate,
    shown,
    recorded,
    /** What the work asks the database; not what goes on beside it. */
    async counted<T>(work: () => Promise<T>): Promise<[T, number]> {
      const asked = { statements: 0 };
      return [await asking.run(asked, work), asked.statements];
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

test("without contracts the gate is open and says that there are none", async () => {
  await using scene = await openScene();
  expect(await scene.gate("orders", 1)).toMatchObject({
    open: true,
    answer: "none",
    reason: expect.stringContaining("no contracts declared") as string,
  });
});

test("a release waits for its verification; a no names consumer, interaction and field, and a rollback goes all the same", async () => {
  await using scene = await openScene();
  const { server, publish, verify, ask, gate, shown } = scene;
  await publish(1, "/a");
  expect(await gate("orders", 1)).toMatchObject({
    open: false,
    answer: "unknown",
    reason: expect.stringContaining("catalog does not serve in test") as string,
  });
  expect(await server.deploy("catalog", 1)).toMatchObject({ outcome: "succeeded" });
  const id = await ask("orders", 1);
  const why = `catalog ${commitNumber(1).slice(0, 10)} has not verified yet what orders ${commitNumber(1).slice(0, 10)} asks of it: a build of catalog on the branch contracts does. What its machine fails is tried again by itself, 3 times; retry it if it failed after all`;
  await until(async () => (await shown(id)).wait?.message.includes(why) ?? false);
  const mismatch = { attribute: "body", identifier: "$.price", description: "expected a number" };
  await verify(1, 1, { mismatches: [mismatch] });
  await until(
    async () =>
      (await shown(id)).wait?.message.includes("orders 0000000000: get /a: $.price: expected a number") ?? false,
  );
  await verify(1, 1);
  expect(await server.ended(id)).toMatchObject({ outcome: "succeeded" });

  await verify(1, 2);
  expect(await server.deploy("catalog", 2)).toMatchObject({ outcome: "succeeded" });
  await verify(1, 1, { mismatches: [mismatch] });
  expect(await gate("catalog", 1)).toMatchObject({ open: false, answer: "no" });
  const back = await server.call("rollBack", { body: { service: "catalog", environment: "test" } }, "lead");
  if (isRefusal(back)) throw new Error(back.message);
  expect(await server.ended(back.id)).toMatchObject({ outcome: "succeeded", release: 1 });
});

test("however many wait, contracts are asked by one question, and each gets its own answer", async () => {
  await using scene = await openScene();
  const { place, server, publish, ask, shown, counted } = scene;
  place.world.services.push("billing");
  await server.publish("billing", commitNumber(1));
  await publish(1, "/a");
  const body = { environment: "test", reason: "to count", seconds: 300 };
  expect(isRefusal(await server.call("lockPlace", { body }, "lead"))).toBe(false);

  const look = async () => {
    const [shown, cost] = await counted(() => server.call("showEnvironment", { params: { environment: "test" } }));
    if (isRefusal(shown)) throw new Error(shown.message);
    const said = shown.waiting.map(({ deployment, gates }) => [
      deployment.service,
      gates.find(({ gate }) => gate === "contracts")?.answer,
    ]);
    return { answers: Object.fromEntries(said) as object, cost };
  };
  const waits = async (service: string) => {
    const id = await ask(service, 1);
    await until(async () => (await shown(id)).wait !== null);
  };
  await waits("orders");
  const one = await look();
  expect(one.answers).toEqual({ orders: "unknown" });
  expect(one.cost).toBeGreaterThan(3);
  await waits("billing");
  await waits("catalog");
  const three = await look();
  expect(three.answers).toEqual({ orders: "unknown", billing: "none", catalog: "yes" });
  expect(three.cost).toBeLessThanOrEqual(one.cost);
});

test("of two promotions that exclude each other one passes, however close they come", async () => {
  await using scene = await openScene();
  const { server, publish, verify, ask, shown } = scene;
  await publish(1, "/a");
  await publish(2, "/b");
  for (const [release, by] of [
    [1, 1],
    [1, 2],
    [2, 1],
  ] as const)
    await verify(release, by);
  await server.deploy("catalog", 1);
  await server.deploy("orders", 1);
  // Each fits what serves; catalog 2 has not verified what orders 2 asks.
  const ids = await Promise.all([ask("orders", 2), ask("catalog", 2)]);
  await until(async () => (await Promise.all(ids.map(shown))).some(({ outcome }) => outcome === "succeeded"));
  const ended = await Promise.all(ids.map(shown));
  expect(ended.filter(({ outcome }) => outcome === "succeeded")).toHaveLength(1);
  const held = ended.find(({ state }) => state === "waiting");
  await until(async () => (await shown(held?.id ?? "")).wait?.message.includes("has not verified yet") ?? false);
  await verify(2, 2);
  expect(await server.ended(held?.id ?? "")).toMatchObject({ outcome: "succeeded" });
});

const mismatch = { attribute: "body", identifier: "$.price", description: "expected a number" };

/** The first releases of both serve; the first of the catalog does not keep what the second of the orders asks. */
async function serveFirstReleases({ server, publish, verify }: Awaited<ReturnType<typeof openScene>>): Promise<void> {
  await publish(1, "/a");
  await publish(2, "/b");
  await verify(1, 1);
  await server.deploy("catalog", 1);
  await server.deploy("orders", 1);
  await verify(2, 1, { mismatches: [mismatch] });
}

test("services that belong together go in the order in which every moment is compatible; without one the plan names the pair", async () => {
  await using scene = await openScene();
  const { server, verify } = scene;
  const together = async (...releases: string[]) => {
    const plan = await server.call("planTogether", { query: { environment: "test", releases: releases.join(",") } });
    if (isRefusal(plan)) throw new Error(plan.message);
    return plan;
  };
  await serveFirstReleases(scene);
  await verify(2, 2);
  await verify(1, 2, { mismatches: [mismatch] });
  const none = await together("orders#2", "catalog");
  expect(none).toMatchObject({
    order: [],
    stuck: [
      { service: "orders", release: 2 },
      { service: "catalog", release: 2 },
    ],
  });
  expect(none.stuck[0]?.reasons[0]).toMatch(
    /^catalog .* does not keep its contract with orders .*: get \/b: \$\.price/,
  );
  expect(none.stuck[1]?.reasons[0]).toMatch(
    /^catalog .* does not keep its contract with orders .*: get \/a: \$\.price/,
  );
  await verify(1, 2);
  const plan = await together("orders#2", "catalog#2");
  expect(plan).toMatchObject({
    order: [
      { service: "catalog", release: 2, from: 1 },
      { service: "orders", release: 2, from: 1 },
    ],
    stuck: [],
  });
  for (const { service, release } of plan.order)
    expect(await server.deploy(service, release)).toMatchObject({ outcome: "succeeded" });
  expect(
    await server.call("planTogether", { query: { environment: "test", releases: "orders,orders#1" } }),
  ).toMatchObject({
    refused: "request.invalid",
  });
});

/** `towline deploy together test …` against the scene's server over HTTP, as the lead unless another token is given. */
async function openCommand({ server, broker, place }: Awaited<ReturnType<typeof openScene>>) {
  const { log } = place.database;
  const app = createHttp({ log });
  const { authenticate } = broker.access;
  serveEndpoints(
    app,
    { log, authenticate, stopping: new AbortController().signal },
    {
      table: { ...deploymentEndpoints, ...gateEndpoints, ...placeEndpoints, ...backingEndpoints },
      handlers: server.deployments.handlers,
    },
  );
  await app.listen({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const main = join(import.meta.dirname, "../../../cli/main.ts");
  const together = (releases: string[], ...flags: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const args = [main, "deploy", "together", "test", ...releases, "--url", url, "--token", broker.token, ...flags];
      execFile(process.execPath, args, { env: { ...process.env, NO_COLOR: "1" } }, (error, out, err) => {
        resolve({ code: error ? Number(error.code) : 0, out, err });
      });
    });
  return { together, [Symbol.asyncDispose]: () => app.close() };
}

test("the command deploys together what goes only together, stops at the first that fails, and says why nothing goes", async () => {
  await using scene = await openScene();
  await using command = await openCommand(scene);
  const { place, server, verify } = scene;
  const { together } = command;
  const serves = async () =>
    [await place.serving("catalog"), await place.serving("orders")].map((each) => each.releases);
  await server.publish("catalog", commitNumber(3));
  await serveFirstReleases(scene);
  for (const by of [2, 3]) await verify(2, by);
  await verify(1, 2, { mismatches: [mismatch] });

  const none = await together(["orders#2", "catalog#2"], "--yes");
  expect(none).toMatchObject({ code: 1, err: "" });
  expect(none.out).toMatch(
    /^There is no order in which they can go to test .*\n {2}orders #2: catalog .*get \/b: \$\.price.*\n {2}catalog #2: .*get \/a: \$\.price/,
  );
  expect(await serves()).toEqual([[1], [1]]);
  expect(await together(["catalog#9"], "--yes")).toMatchObject({
    ...{ code: expect.any(Number) as number, out: "" },
    err: expect.stringMatching(/catalog.*9/) as string,
  });
  expect(await together(["catalog#3", "orders#2"], "--yes", "--token", "tw_wrong")).toMatchObject({
    err: expect.stringContaining("auth.bad-token") as string,
  });

  await verify(1, 2);
  place.world.healthy = (instance) => !instance.includes("-r2-");
  const failed = await together(["orders#2", "catalog#2"], "--yes");
  expect(failed).toMatchObject({ code: 1, err: "" });
  expect(failed.out).toContain("To test, in this order:\n  1. catalog #2 (now #1)\n  2. orders #2 (now #1)\n");
  expect(failed.out).toContain("✗ catalog in test");
  expect(failed.out).not.toContain("orders in test");
  expect(await serves()).toEqual([[1], [1]]);

  place.world.healthy = () => true;
  await verify(1, 3);
  const order = "To test, in this order:\n  1. catalog #3 (now #1)\n  2. orders #2 (now #1)\n";
  expect(await together(["orders#2", "catalog#3"], "--plan")).toEqual({ code: 0, out: order, err: "" });
  expect(await serves()).toEqual([[1], [1]]);
  const done = await together(["orders#2", "catalog#3"], "--yes");
  expect(done).toMatchObject({ code: 0, err: "" });
  expect(done.out.startsWith(order)).toBe(true);
  expect(done.out).toMatch(/✓ catalog in test[^]*✓ orders in test/);
  expect(await serves()).toEqual([[3], [2]]);
});

test("where the environment says that contracts only advise, nothing waits for them", async () => {
  await using scene = await openScene("contracts: advisory");
  await scene.publish(1, "/a");
  expect(await scene.gate("orders", 1)).toMatchObject({ open: true, answer: "unknown" });
  expect(await scene.server.deploy("orders", 1)).toMatchObject({ outcome: "succeeded" });
});

test("what serves is recorded by itself: the release, the one that comes beside it, and the one that it went back to", async () => {
  await using scene = await openScene();
  const { place, server, ask, recorded } = scene;
  const is = (wanted: Record<string, string>) =>
    until(async () => JSON.stringify(await recorded("catalog")) === JSON.stringify(wanted), {
      describe: () => JSON.stringify(wanted),
    });
  await server.deploy("catalog", 1);
  await is({ "": commitNumber(1) });
  place.world.healthy = (instance) => !instance.includes("-r2-");
  place.runtime.engineDown = true;
  const id = await ask("catalog", 2);
  await until(async () => Object.keys(await recorded("catalog")).length === 2);
  expect(await recorded("catalog")).toEqual({ "": commitNumber(1), rollout: commitNumber(2) });
  place.runtime.engineDown = false;
  expect((await server.ended(id)).outcome).not.toBe("succeeded");
  await is({ "": commitNumber(1) });
  place.world.healthy = () => true;
  await server.deploy("catalog", 2);
  await is({ "": commitNumber(2) });
});
