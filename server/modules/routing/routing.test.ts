import { sql } from "kysely";
import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { createAccess } from "#access";
import { createMemoryBalancer } from "#drivers/balancer/memory.ts";
import { RuntimeError } from "#drivers/runtime/contract.ts";
import { createMemoryRuntime } from "#drivers/runtime/memory.ts";
import { systemClock } from "#kernel/clock.ts";
import { jobs } from "#kernel/jobs.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { openWake } from "#kernel/wake.ts";
import { createRouting, type Routing } from "#routing";
import { testDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";

const orders = { service: "orders", environment: "test" };
const address = (n: number) => ({ host: `10.0.0.${n}`, port: 8080 });
const placing = (n: number, healthPath = "/health") => ({
  ...orders,
  healthPath,
  instances: [{ instance: `orders-${n}`, address: address(n) }],
});

async function openScene() {
  const database = await testDatabase();
  const balancer = createMemoryBalancer();
  const runtime = createMemoryRuntime({ images: [] });
  const { db, log } = database;
  const wake = await openWake(database.url, log);
  const { emit } = createOutbox({ db, wake, log });
  const create = (): Routing =>
    createRouting({
      access: createAccess({ db, emit, jobs, clock: systemClock }),
      fleet: { previews: async () => undefined },
      db,
      emit,
      log,
      jobs,
      clock: systemClock,
      balancer,
      runtime,
      httpPort: 8300,
    });
  const dispose = async () => {
    await wake[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  };
  return { create, db, routing: create(), balancer, runtime, [Symbol.asyncDispose]: dispose };
}

test("a service has its addresses before anything serves there, and keeps them", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  const first = await routing.ensureRoute(orders);
  expect(first).toEqual({ url: "http://orders.test.localhost:8300", internalUrl: "http://balancer:10000" });
  expect(balancer.request("orders.test.localhost")).toBe(503);
  const other = await routing.ensureRoute({ service: "catalog", environment: "test" });
  expect(other).toMatchObject({ internalUrl: "http://balancer:10001" });
  expect(await routing.ensureRoute(orders, ["orders.test.localhost", "shop.example.com"])).toEqual(first);
  expect(balancer.request("shop.example.com")).toBe(503);
});

test("an environment that the engine cannot serve has no routes, and those of others stand", async () => {
  await using scene = await openScene();
  const { routing, balancer, runtime } = scene;
  const ensureNetwork = runtime.ensureNetwork.bind(runtime);
  runtime.ensureNetwork = (environment, call) =>
    environment === "production"
      ? Promise.reject(new RuntimeError("unfit", "no swarm"))
      : ensureNetwork(environment, call);
  await routing.ensureRoute({ service: "orders", environment: "production" });
  await routing.ensureRoute(orders);
  expect(balancer.request("orders.test.localhost")).toBe(503);
  runtime.ensureNetwork = ensureNetwork;
  await routing.reconcile();
  expect(balancer.request("orders.production.localhost")).toBe(503);
});

test("a host name that another service has is refused, and nothing changes", async () => {
  await using scene = await openScene();
  await scene.routing.ensureRoute(orders, ["shop.example.com"]);
  const taken = await scene.routing.ensureRoute({ service: "catalog", environment: "test" }, ["shop.example.com"]);
  expect(isRefusal(taken) && taken.message).toBe("the host name shop.example.com belongs to orders in test");
});

test("a placed instance gets no traffic until it is shifted to, and the others then finish", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  expect(balancer.request("orders.test.localhost")).toBe(503);
  expect(await routing.health(["orders-1", "nobody"])).toEqual({
    "orders-1": { health: "up", detail: "200" },
    nobody: { health: "unknown" },
  });
  await routing.shift(orders, { "orders-1": 100 });
  await routing.place(placing(2));
  expect(balancer.request("orders.test.localhost")).toEqual(address(1));
  await routing.shift(orders, { "orders-2": 100 });
  expect(balancer.request("orders.test.localhost")).toEqual(address(2));
  expect([...(await routing.placed()).values()].map(({ state }) => state)).toEqual(["drain", "ready"]);
  await routing.release(["orders-1"]);
  expect([...(await routing.placed()).keys()]).toEqual(["orders-2"]);
});

test("an instance that comes back at another address keeps its slot and its traffic", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  await routing.shift(orders, { "orders-1": 100 });
  await routing.place({ ...placing(1), instances: [{ instance: "orders-1", address: address(7) }] });
  expect(balancer.request("orders.test.localhost")).toEqual(address(7));
});

test("another health path gets a pool of its own, and the empty one goes when the traffic has moved", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  await routing.shift(orders, { "orders-1": 100 });
  await routing.place(placing(2, "/ready"));
  expect(balancer.request("orders.test.localhost")).toEqual(address(1));
  await routing.shift(orders, { "orders-2": 100 });
  expect(balancer.request("orders.test.localhost")).toEqual(address(2));
  await routing.shift(orders, { "orders-1": 100 });
  expect(balancer.request("orders.test.localhost")).toEqual(address(1));
  await routing.shift(orders, { "orders-2": 100 });
  await routing.release(["orders-1"]);
  await expect(balancer.stats("orders.test")).rejects.toMatchObject({ code: "not-found" });
  expect(balancer.request("orders.test.localhost")).toEqual(address(2));
});

test("a look at the tables in the middle of a shift never leaves a route to nobody", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  await routing.place(placing(2, "/ready"));
  await routing.shift(orders, { "orders-1": 100 });
  const answers = new Set<string>();
  const apply = balancer.apply.bind(balancer);
  balancer.apply = async (config) => {
    await apply(config);
    answers.add(typeof balancer.request("orders.test.localhost"));
  };
  let isShifting = true;
  const looking = (async () => {
    while (isShifting) await routing.reconcile();
  })();
  for (let turn = 0; turn < 40; turn++) await routing.shift(orders, { [`orders-${(turn % 2) + 1}`]: 100 });
  isShifting = false;
  await looking;
  expect([...answers]).toEqual(["object"]);
});

test("more instances than slots make the pool larger", async () => {
  await using scene = await openScene();
  const { routing } = scene;
  await routing.ensureRoute(orders);
  for (const n of [1, 2, 3, 4, 5, 6]) await routing.place(placing(n));
  const names = [1, 2, 3, 4, 5, 6].map((n) => `orders-${n}`);
  expect(Object.values(await routing.health(names)).every(({ health }) => health === "up")).toBe(true);
});

test("what many change while a change is at work reaches the balancer as one", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  const services = Array.from({ length: 20 }, (_, at) => ({ service: `service-${at}`, environment: "test" }));
  for (const place of services) await routing.ensureRoute(place);
  let changes = 0;
  const counted = <T extends unknown[]>(change: (...all: T) => Promise<void>) =>
    async function count(...all: T) {
      await change(...all);
      changes += 1;
      // The others come while this one is at work.
      await until(async () => (await routing.placed()).size === services.length);
    };
  balancer.apply = counted(balancer.apply.bind(balancer));
  balancer.setSlots = counted(balancer.setSlots.bind(balancer));
  await Promise.all(
    services.map((place, at) =>
      routing.place({
        ...{ ...place, healthPath: "/health" },
        instances: [{ instance: `${place.service}-1`, address: address(at + 1) }],
      }),
    ),
  );
  expect(changes).toBeLessThanOrEqual(3);
  for (const [at, place] of services.entries()) {
    await routing.shift(place, { [`${place.service}-1`]: 100 });
    expect(balancer.request(`${place.service}.test.localhost`)).toEqual(address(at + 1));
  }
});

test("when a change of many fails all are told, and done again it is in force", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  balancer.down = true;
  const asked = [2, 3].map((n) => routing.place(placing(n)));
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  balancer.down = false;
  await routing.shift(orders, { "orders-2": 100 });
  expect(balancer.request("orders.test.localhost")).toEqual(address(2));
});

test("what the balancer would not take is refused and disturbs nobody", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  await routing.shift(orders, { "orders-1": 100 });
  await expect(routing.place(placing(2, "/health\n http-request deny"))).rejects.toMatchObject({ code: "invalid" });
  await expect(routing.shift(orders, { nobody: 100 })).rejects.toThrow("cannot go to nobody");
  await routing.reconcile();
  expect(balancer.request("orders.test.localhost")).toEqual(address(1));
});

test("a change made while the balancer was away is in force once it is back", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  balancer.down = true;
  await expect(routing.shift(orders, { "orders-1": 100 })).rejects.toMatchObject({ code: "balancer-unreachable" });
  balancer.down = false;
  await scene.create().reconcile();
  expect(balancer.request("orders.test.localhost")).toEqual(address(1));
});

test("counts are told by instance, and a new process says that they begin anew", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  await routing.shift(orders, { "orders-1": 100 });
  balancer.request("orders.test.localhost");
  const { epoch, counters } = await routing.stats(["orders-1"]);
  expect(counters).toEqual({ "orders-1": { requests: 1, serverErrors: 0, connectionErrors: 0 } });
  expect((await routing.stats(["orders-1"])).epoch).toBe(epoch);
  expect((await scene.create().stats([])).epoch).not.toBe(epoch);
});

test("a backing service is probed by a pool that nobody reaches", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  const probe = { environment: "test", name: "db", address: { host: "10.0.0.9", port: 5432 } };
  expect(await routing.probe(probe)).toMatchObject({ health: "up" });
  await routing.endProbe(probe);
  expect(await balancer.health([{ route: "backing.test.db", position: 0 }])).toEqual([{ health: "unknown" }]);
  expect(await routing.probe(probe)).toMatchObject({ health: "up" });
});

test("a route in maintenance or paused says until when, opens by itself, and all of it is in the record", async () => {
  await using scene = await openScene();
  const { routing, balancer, db } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  await routing.shift(orders, { "orders-1": 100 });
  await routing.setMode(orders, { mode: "maintenance", forMs: 60_000, by: "ada", reason: "moving" });
  expect(balancer.request("orders.test.localhost")).toBe(503);
  expect(await routing.closed()).toMatchObject([{ ...orders, mode: "maintenance" }]);
  await routing.setMode(orders, { mode: "open", by: "ada" });
  expect(balancer.request("orders.test.localhost")).toEqual(address(1));
  await routing.setMode(orders, { mode: "paused", forMs: 0, by: "ada" });
  expect(balancer.request("orders.test.localhost")).toBe(503);
  await routing.tasks["routing.reconcile"]?.({}, new AbortController().signal);
  expect(balancer.request("orders.test.localhost")).toEqual(address(1));
  const { rows } = await sql<{ payload: object }>`
    select payload from events where name = 'routing.mode-changed' order by id`.execute(db);
  expect(rows.map(({ payload }) => payload)).toMatchObject([
    { mode: "maintenance", actor: "ada", reason: "moving" },
    { mode: "open", actor: "ada" },
    { mode: "paused" },
    { mode: "open", actor: "towline", reason: "its time is over" },
  ]);
  const nowhere = { service: "nobody", environment: "test" };
  expect(await routing.setMode(nowhere, { mode: "open", by: "ada" })).toMatchObject({ refused: "not-found" });
});

test("times are told by instance, once each", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  await routing.place(placing(2));
  balancer.time("orders.test", 0, [1]);
  const first = await routing.timings(["orders-1", "orders-2"]);
  expect(first.times).toEqual({ "orders-1": [], "orders-2": [] });
  balancer.time("orders.test", 1, [7, 8]);
  const second = await routing.timings(["orders-1", "orders-2"], first.cursor);
  expect(second.times).toEqual({ "orders-1": [], "orders-2": [7, 8] });
  expect((await routing.timings(["orders-2"], second.cursor)).times).toEqual({ "orders-2": [] });
});

test("two groups of instances are compared: how they did, and what share of the new requests each gets", async () => {
  await using scene = await openScene();
  const { routing, balancer } = scene;
  await routing.ensureRoute(orders);
  await routing.place(placing(1));
  await routing.place(placing(2));
  await routing.shift(orders, { "orders-1": 75, "orders-2": 25 });
  const at = Math.floor(Date.now() / 1000) - 30;
  const asked = { route: "orders.test", from: "10.0.0.9", at, status: 200, milliseconds: 4 };
  balancer.note([
    { ...asked, to: address(1).host },
    { ...asked, to: address(2).host, status: 500 },
  ]);
  const found = await routing.compare({ old: ["orders-1"], fresh: ["orders-2"] });
  expect(found).toMatchObject({ old: { share: 0.75 }, fresh: { share: 0.25 } });
  const failed = (side: "old" | "fresh") => found?.[side].points.filter(({ requests }) => requests > 0);
  expect([failed("old"), failed("fresh")]).toMatchObject([[{ failed: 0, p95: 4 }], [{ failed: 1 }]]);
  balancer.down = true;
  // What was read a moment ago is used again, but not by a server that has just begun.
  expect(await scene.create().compare({ old: ["orders-1"] })).toBeUndefined();
});
