/**
 * A balancer on the real engine, with instances that are servers of this process: they listen on the gateway of the test
 * network, which a container of that network reaches like any other address.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { type Agent, createServer, request, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRefusal } from "#api/errors.ts";
import { connectEngine, type Engine } from "#drivers/engine/engine.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";
import { ensureBaseImages } from "../tools/base-images/ensure.ts";
import type { BalancerHarness, TestInstance } from "#drivers/balancer/conformance.ts";
import type { Balancer } from "#drivers/balancer/contract.ts";
import { createHaproxyBalancer, type HaproxyOptions } from "#drivers/balancer/haproxy/balancer.ts";

export const haproxyImage = "towline/base-haproxy:stable";
const limits = { deadlineMs: 60_000 };

export interface TestBed extends BalancerHarness {
  engine: Engine;
  options: HaproxyOptions;
  /** Where the balancer serves host names. */
  url: string;
  /** Name of the balancer's container. */
  container: string;
  /** A second balancer object for the same container, as after a restart of the control plane. */
  again(): Balancer;
  /** One more network. */
  addNetwork(): Promise<string>;
  get(
    host: string,
    more?: { path?: string; agent?: Agent; method?: string; headers?: Record<string, string> },
  ): Promise<Answer>;
  instance(name: string): Promise<BedInstance>;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface BedInstance extends TestInstance {
  server: Server;
  /** Addresses of the connections of requests under way. */
  held: ServerResponse[];
  /** So many of the next health checks fail, whatever `healthy` says. */
  failing: number;
  checkTakesMs: number;
}

export async function createTestBed(more: Partial<HaproxyOptions> = {}): Promise<TestBed> {
  const ready = await ensureBaseImages(["haproxy"], { log: () => {} });
  if (isRefusal(ready)) throw new Error(ready.message);
  const engine = connectEngine();
  const install = `test-${randomBytes(4).toString("hex")}`;
  const directory = more.directory ?? (await mkdtemp(join(tmpdir(), "towline-balancer-")));
  const publish = { host: "127.0.0.1", port: await freePort() };
  const options: HaproxyOptions = { install, image: haproxyImage, directory, publish, ...more };
  const networks: string[] = [];
  const instances: BedInstance[] = [];
  const addNetwork = async () => {
    const name = `towline-${install}-${networks.length}`;
    await engine.json({ method: "POST", path: "/networks/create", body: networkSpec(name, install) }, limits);
    networks.push(name);
    return name;
  };
  const network = await addNetwork();
  const gateway = await gatewayOf(engine, network);
  const url = `http://127.0.0.1:${options.publish.port}`;
  const get: TestBed["get"] = (host, how = {}) => ask(url, host, how);
  const balancer = createHaproxyBalancer(options);
  return {
    balancer,
    network,
    engine,
    options,
    url,
    container: `towline-${install}-balancer`,
    again: () => createHaproxyBalancer(options),
    addNetwork,
    get,
    async instance(name) {
      const made = await serve(name, gateway, get);
      instances.push(made);
      return made;
    },
    async take(host, times) {
      for (let count = 0; count < times; count++) await get(host);
    },
    async request(host) {
      const { status, body } = await get(host);
      return status === 200 ? body : status;
    },
    async [Symbol.asyncDispose]() {
      await balancer.remove();
      for (const { server } of instances) server.close().closeAllConnections();
      for (const each of networks) await engine.json({ method: "DELETE", path: `/networks/${each}` }, limits);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function networkSpec(Name: string, install: string): Record<string, unknown> {
  return { Name, CheckDuplicate: true, Labels: { "towline.install": install } };
}

async function gatewayOf(engine: Engine, network: string): Promise<string> {
  const { IPAM } = await engine.json<{ IPAM: { Config: { Gateway: string }[] } }>(
    { method: "GET", path: `/networks/${network}` },
    limits,
  );
  return IPAM.Config[0]!.Gateway;
}

async function serve(name: string, host: string, get: TestBed["get"]): Promise<BedInstance> {
  const held: ServerResponse[] = [];
  const server = createServer((asked, answer) => {
    asked.resume();
    if (asked.url === "/health") {
      const fails = !made.healthy || made.failing > 0;
      made.failing = Math.max(0, made.failing - 1);
      setTimeout(() => answer.writeHead(fails ? 503 : 200).end(), made.checkTakesMs);
    } else if (asked.url === "/hold") held.push(answer);
    else asked.on("end", () => answer.end(name));
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject).listen(0, host, listening.resolve);
  await listening.promise;
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const made: BedInstance = {
    name,
    address: { host, port: address.port },
    healthy: true,
    server,
    held,
    failing: 0,
    checkTakesMs: 0,
    async occupy(via) {
      const before = held.length;
      const answered = get(via, { path: "/hold" });
      await until(() => held.length > before);
      return async () => {
        held.splice(before, 1)[0]?.end(name);
        await answered;
      };
    },
  };
  return made;
}

function ask(
  url: string,
  host: string,
  { path = "/", agent, method = "GET", headers = {} }: Parameters<TestBed["get"]>[1] & {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(
    new URL(path, url),
    { method, headers: { ...headers, host }, agent: agent ?? false },
    (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
    },
  );
  sent.on("error", reject).end();
  return promise;
}
