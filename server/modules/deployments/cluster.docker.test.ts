/** Three machines as one swarm, with the real balancer and registry: what becomes of a service while machines go. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveIngress } from "#agent/serve-ingress.ts";
import { ingressEndpoints } from "#api/endpoints/ingresses.ts";
import { isRefusal, orThrow } from "#api/errors.ts";
import { createAccess } from "#access";
import { createClient } from "#client/client.ts";
import { createHaproxyBalancer } from "#drivers/balancer/haproxy/balancer.ts";
import { systemClock } from "#kernel/clock.ts";
import { type Context, createHttp, serveEndpoints } from "#kernel/http.ts";
import { jobs } from "#kernel/jobs.ts";
import { createSwarmRuntime } from "#drivers/runtime/swarm/runtime.ts";
import { haproxyImage } from "#testing/balancer-bed.ts";
import { type ClusterBed, type Machine, openClusterBed } from "#testing/cluster-bed.ts";
import { type DeploymentsPlace, type DeploymentsServer, openDeploymentsPlace } from "#testing/deployments-place.ts";
import { commitNumber } from "#testing/linear-git.ts";
import { type Load, startLoad } from "#testing/load.ts";
import { whyNoOwnEngine } from "#testing/own-engine.ts";
import { jobToken, startTestRegistry, type TestRegistry, userToken } from "#testing/registry.ts";
import { buildSmallImage, smallImage, smallService } from "#testing/small-service.ts";
import { until } from "#testing/until.ts";
import { ensureBaseImages } from "../../../tools/base-images/ensure.ts";

const run = promisify(execFile);
const missing = await whyNoOwnEngine();
const httpPort = 8300;
const manifest = `service: orders
http: 8080
run: { instances: 3, cpu: 0.5, memory: 64Mi, command: ${JSON.stringify(smallService)} }
release: { drain: 5s }
`;
/** Ends what hangs: here three engines share one machine, and others use it too. */
const patient = { deadlineMs: 180_000 };

describe.skipIf(missing !== undefined)(
  `a service on three machines${missing ? ` (not here: ${missing})` : ""}`,
  { timeout: 400_000 },
  () => {
    const stack = new AsyncDisposableStack();
    let place: DeploymentsPlace;
    let server: DeploymentsServer;
    let bed: ClusterBed;
    let registry: TestRegistry;
    let digest: string;
    /** Of ingresses, by name. */
    const processes = new Map<string, AbortController>();

    beforeAll(async () => {
      const ready = await ensureBaseImages(["debian", "haproxy"], { log: () => {} });
      if (isRefusal(ready)) throw new Error(ready.message);
      await buildSmallImage();
      place = stack.use(await openDeploymentsPlace());
      bed = stack.use(await openClusterBed({ images: [], everywhere: [haproxyImage], heartbeat: 3 }));
      registry = stack.use(await startTestRegistry({ databaseUrl: place.database.url, listen: "0.0.0.0" }));
      const folder = await mkdtemp(join(tmpdir(), "towline-cluster-"));
      stack.defer(() => rm(folder, { recursive: true, force: true }));
      digest = await push(registry, folder);
      place.world.digests.set("orders", digest);
      place.world.services.push("orders");
      place.world.environments["test"] = "target: swarm\nwatch: 0s\n";
      for (const number of [1, 2]) place.world.manifests.set(commitNumber(number), manifest);
      const parts = stack.use(realParts(folder));
      server = stack.use(await place.server({ parts, reconcileMs: 10_000, timing: { superviseMs: 1_000 } }));
      for (const number of [1, 2]) await server.publish("orders", commitNumber(number));
      const api = stack.use(await serveIngressApi(place, server));
      for (const [name, machine] of Object.entries({ "edge-2": bed.machines[1]!, "edge-3": bed.machines[2]! }))
        stack.use(await startIngress(name, machine, { api, folder }));
    }, 400_000);
    afterAll(() => stack.disposeAsync(), 200_000);

    const manager = () => bed.machines[0]!;
    const registryAddress = () => `${bed.address}:${registry.host.split(":")[1]}`;

    function realParts(folder: string) {
      const common = { install: `test-${randomBytes(4).toString("hex")}`, socketPath: manager().socketPath };
      const publish = { host: manager().address, port: httpPort };
      const directory = join(folder, "balancer");
      const balancer = createHaproxyBalancer({ ...common, image: haproxyImage, directory, publish });
      const password = (repository: string) => jobToken(registry, { [repository]: ["pull"] });
      return {
        ...{ runtime: createSwarmRuntime(common), balancer },
        registry: {
          address: registryAddress,
          auth: async (repository: string) => ({ username: "towline", password: await password(repository) }),
        },
        [Symbol.asyncDispose]: () => balancer.remove(),
      };
    }

    /** The process of an ingress, for the engine of a machine of its own. */
    async function startIngress(
      name: string,
      { socketPath, address: host }: Machine,
      { api, folder }: { api: IngressApi; folder: string },
    ): Promise<AsyncDisposable> {
      const balancer = createHaproxyBalancer({
        ...{ install: `${name}-${randomBytes(4).toString("hex")}`, socketPath, image: haproxyImage, isIngress: true },
        ...{ directory: join(folder, name), publish: { host, port: httpPort } },
      });
      const client = createClient({ url: api.url, token: await api.create(name) });
      const stop = new AbortController();
      processes.set(name, stop);
      const ended = serveIngress({ client, balancer, log: place.database.log }, stop.signal);
      return {
        async [Symbol.asyncDispose]() {
          stop.abort();
          await ended;
          await balancer.remove().catch(() => {});
        },
      };
    }
    const ingresses = async () => {
      const { ingresses: all } = orThrow(await server.routing.handlers.listIngresses({} as never, asAdmin));
      return all.map(({ name, state }) => `${name} ${state}`);
    };

    /** By way of the machine of the server, and of one other; no more than one small instance answers alone. */
    const load = () => {
      const kind = { method: "GET" as const, path: "/" };
      const kinds = [true, false].map((keepAlive) => ({ ...kind, name: `kept: ${keepAlive}`, keepAlive }));
      const loads = bed.machines.slice(0, 2).map(({ address }) =>
        startLoad({
          ...{
            url: `http://${address}:${httpPort}`,
            host: "orders.test.localhost",
            rate: 5,
            kinds,
            timeoutMs: 30_000,
          },
        }),
      );
      const sum = (of: (load: Load) => number) => loads.reduce((total, each) => total + of(each), 0);
      return {
        told: () => JSON.stringify(loads.map((each) => each.report())),
        open: () => sum((each) => each.report().open),
        failures: () => sum((each) => each.report().failed + each.report().cut),
        async answered(more: number): Promise<void> {
          const before = loads.map((each) => each.report().ok);
          await until(() => loads.every((each, at) => each.report().ok >= before[at]! + more), patient);
        },
        async stop(): Promise<number> {
          const ends = await Promise.all(loads.map((each) => each.stop()));
          return ends.reduce((total, { failed, cut }) => total + failed + cut, 0);
        },
        async [Symbol.asyncDispose]() {
          for (const each of loads) await each[Symbol.asyncDispose]();
        },
      };
    };

    /** Where instances run, as the swarm says. */
    async function machines(): Promise<string[]> {
      const list = ["service", "ls", "--quiet", "--filter", "label=towline.kind=service"];
      const ids = (await manager().docker(...list)).split("\n").filter(Boolean);
      const format = ["--filter", "desired-state=running", "--format", "{{.Node}}"];
      return (await manager().docker("service", "ps", ...ids, ...format)).split("\n").filter(Boolean).toSorted();
    }
    async function cell() {
      const status = orThrow(await server.call("getStatus", {}));
      return status.services[0]!.cells.find(({ environment }) => environment === "test")!;
    }
    /** A late answer to one check is no fault of what is tested here. */
    const isWhole = () =>
      until(async () => {
        const { instances, healthy, drift } = await cell();
        return instances.healthy === 3 && instances.wanted === 3 && healthy === true && drift.length === 0;
      }, patient);

    test("is on each of them, with its image out of our registry, which gives nothing without credentials", async () => {
      const unasked = await fetch(`http://${registryAddress()}/v2/orders/manifests/${digest}`);
      expect(unasked.status).toBe(401);
      expect(await server.deploy("orders", 1)).toMatchObject({ outcome: "succeeded", reason: null });
      expect(await machines()).toEqual(["machine-1", "machine-2", "machine-3"]);
      await isWhole();
      expect(await cell()).toMatchObject({ digest });
    });

    test("is reached by way of each of them", async () => {
      await until(async () => (await ingresses()).join() === "edge-2 serving,edge-3 serving", patient);
      for (const { address } of bed.machines) {
        const answer = await request(`http://${address}:${httpPort}`, { headers: { host: "orders.test.localhost" } });
        expect(answer.statusCode).toBe(200);
        await answer.body.dump();
      }
    });

    test("loses no request while one of them is emptied and taken out", async () => {
      await using asking = load();
      await asking.answered(20);
      await manager().docker("node", "update", "--availability", "pause", "machine-2");
      await until(async () => !(await machines()).includes("machine-2"), patient);
      await manager().docker("node", "update", "--availability", "drain", "machine-2");
      await asking.answered(20);
      expect(await asking.stop()).toBe(0);
      await isWhole();
      await manager().docker("node", "update", "--availability", "active", "machine-2");
    });

    test("loses no more than what is under way on one that is gone without a word, says so, and is whole again without it", async () => {
      await using asking = load();
      await asking.answered(20);
      const lost = bed.machines[2]!;
      expect(await machines()).toContain(lost.name);
      await lost.unplug();
      const underWay = asking.open();
      processes.get("edge-3")?.abort();
      await lost.kill();
      const told = new Set<string>();
      let last = "";
      await until(
        async () => {
          const { healthy, drift, instances } = await cell();
          for (const words of drift) told.add(words);
          last = JSON.stringify({ told: [...told], healthy, drift, instances });
          return healthy === true && told.size > 0 && drift.length === 0;
        },
        { ...patient, describe: () => last },
      );
      // On an idle machine the swarm has begun it elsewhere before anybody looked.
      const expected = /was lost with the machine machine-3|does not get its traffic/;
      expect([...told].join(), last).toMatch(expected);
      expect(await machines()).not.toContain(lost.name);
      await asking.answered(40);
      await asking.stop();
      expect(asking.failures(), asking.told()).toBeLessThanOrEqual(underWay);
      expect(await ingresses()).toEqual(["edge-2 serving", "edge-3 away"]);
    });

    test("is deployed to those that are left, and nothing of the release before stays", async () => {
      await using asking = load();
      // What hung at the lost machine may be cut off now, and said so; what is asked now is not.
      expect(await server.deploy("orders", 2)).toMatchObject({ outcome: "succeeded" });
      expect(await asking.stop()).toBe(0);
      expect(new Set(await machines())).toEqual(new Set(["machine-1", "machine-2"]));
      await isWhole();
      expect(await cell()).toMatchObject({ release: 2 });
    });
  },
);

interface IngressApi extends AsyncDisposable {
  url: string;
  /** Answers the token of a new ingress. */
  create(name: string): Promise<string>;
}

const asAdmin = { principal: { kind: "user", name: "ada", role: "admin", token: "" } } as Context;

/** What processes of ingresses ask for, over HTTP. */
async function serveIngressApi(
  { database }: DeploymentsPlace,
  { routing, emit }: DeploymentsServer,
): Promise<IngressApi> {
  const { log, db } = database;
  const app = createHttp({ log });
  const stopping = new AbortController();
  const { authenticate } = createAccess({ db, emit, jobs, clock: systemClock });
  serveEndpoints(
    app,
    { log, authenticate, stopping: stopping.signal },
    { table: ingressEndpoints, handlers: routing.handlers },
  );
  await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    create: async (name) => orThrow(await routing.handlers.createIngress({ body: { name } } as never, asAdmin)).secret,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await app.close();
    },
  };
}

/** Answers the digest under which the registry has the image. */
async function push(registry: TestRegistry, folder: string): Promise<string> {
  // The engine of this machine speaks plain HTTP to itself only.
  const host = `127.0.0.1:${registry.host.split(":")[1]}`;
  const auth = Buffer.from(`dev:${await userToken(registry, "dev", "lead")}`).toString("base64");
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
  const name = `${host}/orders:1`;
  await run("docker", ["tag", smallImage, name]);
  const { stdout } = await run("docker", ["--config", folder, "push", name]);
  await run("docker", ["rmi", name]);
  return /digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1] ?? "";
}
