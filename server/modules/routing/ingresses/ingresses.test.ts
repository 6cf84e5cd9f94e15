import { sql } from "kysely";
import { expect, test } from "vitest";
import { serveIngress } from "#agent/serve-ingress.ts";
import { isRefusal, orThrow } from "#api/errors.ts";
import { createAccess } from "#access";
import { createMemoryBalancer, type MemoryBalancer } from "#drivers/balancer/memory.ts";
import { createMemoryRuntime } from "#drivers/runtime/memory.ts";
import type { Context } from "#kernel/http.ts";
import { jobs } from "#kernel/jobs.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { openWake } from "#kernel/wake.ts";
import { createRouting, type Routing } from "#routing";
import { testDatabase } from "#testing/database.ts";
import { until } from "#testing/until.ts";

const orders = { service: "orders", environment: "test" };
const host = "orders.test.localhost";
const placing = (n: number) => ({
  ...orders,
  healthPath: "/health",
  instances: [{ instance: `orders-${n}`, address: { host: `10.0.0.${n}`, port: 8080 } }],
});
const admin = { principal: { kind: "user", name: "ada", role: "admin", token: "" } } as Context;

async function openScene() {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await testDatabase());
  const { db, log } = database;
  const own = createMemoryBalancer();
  const runtime = createMemoryRuntime({ images: [] });
  const ensureNetwork = runtime.ensureNetwork.bind(runtime);
  runtime.ensureNetwork = async (...given) => ({ ...(await ensureNetwork(...given)), spansMachines: true });
  const wake = stack.use(await openWake(database.url, log));
  const { emit } = createOutbox({ db, wake, log });
  let ahead = 0;
  let questions = 0;
  const clock = { now: () => new Date(Date.now() + ahead) };
  const access = createAccess({ db, emit, jobs, clock });
  /** Another process of the server; the one before is asked no more. */
  const start = async (): Promise<Routing> => {
    const fleet = { previews: async () => undefined };
    const common = { db, emit, log, jobs, access, fleet, runtime };
    const made = createRouting({ ...common, clock, balancer: own, httpPort: 8300, reconcileMs: 100 });
    await made.start();
    return made;
  };
  let routing = await start();
  // In place of its job, which goes by the real clock.
  const looking = setInterval(() => void routing.reconcile().catch(() => {}), 100);
  stack.defer(() => clearInterval(looking));
  const kept = stack.move();
  return {
    ...{ db, own },
    get routing() {
      return routing;
    },
    /** The server was killed and is started again. */
    again: async () => void (routing = await start()),
    pass: (ms: number) => (ahead += ms),
    /** Time passes for one that asks for calls all the while. */
    async passHeard(ms: number) {
      for (let passed = 0; passed < ms; passed += 2_000) {
        ahead += 2_000;
        const before = questions;
        await until(() => questions > before + 1);
      }
    },
    /** A process for the ingress on a machine with this balancer; it is there until `gone`. */
    join(name: string, balancer: MemoryBalancer) {
      const stop = new AbortController();
      const context = { principal: { kind: "ingress", name, token: "" }, signal: stop.signal } as Context;
      const rows = () => routing.handlers;
      const client = {
        takeIngressCalls: async ({ body }: { body: { instance: string } }) => {
          questions += 1;
          return rows().takeIngressCalls({ body: { instance: body.instance, waitMs: 50 } } as never, context);
        },
        answerIngressCalls: async (input: object) => rows().answerIngressCalls(input as never, context),
      } as unknown as Parameters<typeof serveIngress>[0]["client"];
      const ended = serveIngress({ client, balancer, log }, stop.signal);
      return { ended, gone: () => stop.abort() };
    },
    async create(name: string) {
      const made = await routing.handlers.createIngress({ body: { name } } as never, admin);
      return orThrow(made).secret;
    },
    list: async () => {
      const answer = await routing.handlers.listIngresses({} as never, admin);
      return orThrow(answer).ingresses.map(({ name, state }) => `${name} ${state}`);
    },
    eventNames: async () => {
      const { rows } = await sql<{ name: string }>`
        select name from events where name like 'routing.ingress%' order by id`.execute(db);
      return rows.map(({ name }) => name.replace("routing.ingress-", ""));
    },
    authenticate: (secret: string) => access.authenticate(`Bearer ${secret}`),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

type Scene = Awaited<ReturnType<typeof openScene>>;

async function serving(scene: Scene, n: number): Promise<void> {
  await scene.routing.ensureRoute(orders);
  await scene.routing.place(placing(n));
  await scene.routing.shift(orders, { [`orders-${n}`]: 1 });
}
const becomes = (scene: Scene, words: string) => until(async () => (await scene.list()).includes(words));

test("one that joins is brought to what serves, and from then on each change is made there too", async () => {
  await using scene = await openScene();
  await serving(scene, 1);
  const secret = await scene.create("edge-2");
  expect(await scene.authenticate(secret)).toMatchObject({ kind: "ingress", name: "edge-2" });
  expect(await scene.list()).toEqual(["edge-2 away"]);
  const edge = createMemoryBalancer();
  const { gone } = scene.join("edge-2", edge);
  await becomes(scene, "edge-2 serving");
  expect(edge.request(host)).toEqual({ host: "10.0.0.1", port: 8080 });
  await serving(scene, 2);
  for (const balancer of [scene.own, edge]) expect(balancer.request(host)).toEqual({ host: "10.0.0.2", port: 8080 });
  gone();
  expect(await scene.eventNames()).toEqual(["created", "joined"]);
});

test("an instance is busy while it is at any of them, and healthy when it is for all", async () => {
  await using scene = await openScene();
  await serving(scene, 1);
  await scene.create("edge-2");
  let healthy = true;
  const edge = createMemoryBalancer({ sessions: () => 3, healthy: () => healthy });
  const { gone } = scene.join("edge-2", edge);
  await becomes(scene, "edge-2 serving");
  expect(await scene.routing.sessions(["orders-1"])).toBe(3);
  expect(await scene.routing.health(["orders-1"])).toMatchObject({ "orders-1": { health: "up" } });
  healthy = false;
  expect(await scene.routing.health(["orders-1"])).toMatchObject({ "orders-1": { health: "down" } });
  gone();
});

test("one that is not heard of holds up every change for half a minute, is then left out, and comes back by itself", async () => {
  await using scene = await openScene();
  await serving(scene, 1);
  await scene.create("edge-2");
  const edge = createMemoryBalancer();
  const first = scene.join("edge-2", edge);
  await becomes(scene, "edge-2 serving");
  first.gone();
  await first.ended;
  scene.pass(15_000);
  await expect(scene.routing.sessions(["orders-1"])).rejects.toThrow("the ingress edge-2: it is not there");
  await expect(serving(scene, 2)).rejects.toThrow("edge-2");
  scene.pass(20_000);
  expect(await scene.list()).toEqual(["edge-2 away"]);
  await serving(scene, 2);
  expect(scene.own.request(host)).toEqual({ host: "10.0.0.2", port: 8080 });
  const second = scene.join("edge-2", edge);
  await becomes(scene, "edge-2 serving");
  expect(edge.request(host)).toEqual({ host: "10.0.0.2", port: 8080 });
  second.gone();
  expect(await scene.eventNames()).toEqual(["created", "joined", "lost", "joined"]);
});

test("one that cannot be changed for half a minute is left out and takes no traffic, for it would send it to those that ended", async () => {
  await using scene = await openScene();
  await serving(scene, 1);
  await scene.create("edge-2");
  const edge = createMemoryBalancer();
  const { setSlots, apply } = edge;
  const { gone } = scene.join("edge-2", edge);
  await becomes(scene, "edge-2 serving");
  const broken = async () => {
    await setSlots([{ route: "none", position: 0, slot: { state: "maint", weight: 1 } }]);
  };
  Object.assign(edge, { setSlots: broken, apply: broken });
  await expect(serving(scene, 2)).rejects.toThrow("the ingress edge-2: there is no slot");
  await scene.passHeard(35_000);
  await until(() =>
    serving(scene, 2).then(
      () => true,
      () => false,
    ),
  );
  await until(() => edge.request(host) === 404);
  Object.assign(edge, { setSlots, apply });
  await becomes(scene, "edge-2 serving");
  expect(edge.request(host)).toEqual({ host: "10.0.0.2", port: 8080 });
  gone();
  expect(await scene.eventNames()).toEqual(["created", "joined", "lost", "joined"]);
});

test("a server that starts again waits for those that served, until they are back or half a minute has passed", async () => {
  await using scene = await openScene();
  await serving(scene, 1);
  await scene.create("edge-2");
  const edge = createMemoryBalancer();
  const { gone, ended } = scene.join("edge-2", edge);
  await becomes(scene, "edge-2 serving");
  gone();
  await ended;
  await scene.again();
  expect(await scene.list()).toEqual(["edge-2 serving"]);
  await expect(scene.routing.reconcile()).rejects.toThrow("the ingress edge-2: it is not there");
  const back = scene.join("edge-2", edge);
  await until(() =>
    scene.routing.reconcile().then(
      () => true,
      () => false,
    ),
  );
  await serving(scene, 2);
  expect(edge.request(host)).toEqual({ host: "10.0.0.2", port: 8080 });
  back.gone();
});

test("one that is removed takes no traffic any more, and its token opens nothing", async () => {
  await using scene = await openScene();
  await serving(scene, 1);
  const secret = await scene.create("edge-2");
  const again = await scene.routing.handlers.createIngress({ body: { name: "edge-2" } } as never, admin);
  expect(isRefusal(again) && again.refused).toBe("conflict");
  const edge = createMemoryBalancer();
  const { ended } = scene.join("edge-2", edge);
  await becomes(scene, "edge-2 serving");
  await scene.routing.handlers.removeIngress({ params: { name: "edge-2" } } as never, admin);
  expect(edge.request(host)).toBe(404);
  expect(await ended).toMatchObject({ refused: "not-found" });
  expect(await scene.authenticate(secret)).toMatchObject({ refused: "auth.bad-token" });
  expect(await scene.list()).toEqual([]);
  const missing = await scene.routing.handlers.removeIngress({ params: { name: "edge-2" } } as never, admin);
  expect(isRefusal(missing) && missing.refused).toBe("not-found");
});

test("a later process takes the place of an earlier one for good, whose load balancer then ends", async () => {
  await using scene = await openScene();
  await serving(scene, 1);
  await scene.create("edge-2");
  const [former, edge] = [createMemoryBalancer(), createMemoryBalancer()];
  const first = scene.join("edge-2", former);
  await becomes(scene, "edge-2 serving");
  const second = scene.join("edge-2", edge);
  expect(await first.ended).toMatchObject({ refused: "ingress.replaced" });
  expect(former.request(host)).toBe(404);
  await until(() => edge.request(host) !== 404);
  expect(await scene.list()).toEqual(["edge-2 serving"]);
  second.gone();
});
