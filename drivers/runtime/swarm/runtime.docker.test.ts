/** The contract on a swarm of one machine, what instances get there, and how the balancer reaches them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHaproxyBalancer } from "#drivers/balancer/haproxy/balancer.ts";
import { emptySlot } from "#drivers/balancer/contract.ts";
import { haproxyImage } from "#testing/balancer-bed.ts";
import { whyNoOwnEngine } from "#testing/own-engine.ts";
import { program, readingsOfVolume } from "#testing/runtime-bed.ts";
import { createSwarmBed, type SwarmBed } from "#testing/swarm-bed.ts";
import { untilOutOfMemory } from "#testing/out-of-memory.ts";
import { until } from "#testing/until.ts";
import type { ContainerSpec, InstanceSpec } from "../contract.ts";
import { runtimeConformance } from "../conformance.ts";
import { createSwarmRuntime } from "./runtime.ts";

const missing = await whyNoOwnEngine();
const environment = "test";

/** One for both suites: an engine takes its time to start. */
let opened: Promise<SwarmBed> | undefined;
const open = () => (opened ??= createSwarmBed([haproxyImage]));
afterAll(async () => await (await opened)?.[Symbol.asyncDispose](), 60_000);

runtimeConformance("Docker Swarm", async () => ({ ...(await open()), [Symbol.asyncDispose]: async () => {} }), missing);

describe.skipIf(missing !== undefined)(`a service on Docker Swarm${missing ? ` (not here: ${missing})` : ""}`, () => {
  let bed: SwarmBed;
  let serial = 0;
  beforeAll(async () => {
    bed = await open();
    await bed.runtime.ensureNetwork(environment);
  }, 120_000);

  const job = (source: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
    ...{ name: `job-${++serial}`, environment, image: bed.image, command: program(source), env: {}, labels: {} },
    ...{ cpu: 1, memory: 128 * 1024 * 1024, ...more },
  });
  const instance = (source: string, more: Partial<InstanceSpec> = {}): InstanceSpec => ({
    ...{ ...job(source), kind: "service", graceMs: 1_000, ...more },
  });
  const printed = async (source: string, more: Partial<ContainerSpec> = {}) =>
    (await bed.runtime.runOnce(job(source, more))).tail;
  const serve = `
    process.on("SIGTERM", () => process.exit());
    require("node:http").createServer((q, a) => a.end("hello")).listen(8080)`;

  test("gets its files with their rights, and few capabilities", async () => {
    const source = `
      const { statSync, readFileSync } = require("node:fs");
      const { mode, uid } = statSync("/run/keys/key");
      const bounds = /CapBnd:\\t(\\w+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
      console.log(readFileSync("/run/keys/key", "utf8"), (mode & 0o777).toString(8), uid, bounds)`;
    const key = { path: "/run/keys/key", content: "secret", mode: 0o440 };
    expect(await printed(source, { files: [{ ...key, uid: 1000 }] })).toEqual(["secret 440 1000 00000000000004eb"]);
    expect(await printed(source, { files: [{ ...key, uid: "image" }] })).toEqual(["secret 440 0 00000000000004eb"]);
  });

  test("that takes more memory than it may is said to have run out of it", async () => {
    const source = `const all = []; for (;;) all.push(Buffer.alloc(10_000_000, 1))`;
    await untilOutOfMemory(() => bed.runtime.runOnce(job(source)));
  });

  test("keeps its volume when it is made anew, until the environment's volumes are deleted", async () => {
    expect(await readingsOfVolume(bed.runtime)).toEqual({ first: "x", again: "xx", kept: "xxx", deleted: "x" });
  });

  test("for which no machine has room says so", async () => {
    const asked = instance(serve, { memory: 2 ** 50 });
    await expect(bed.runtime.start(asked)).rejects.toMatchObject({
      code: "start-failed",
      message: expect.stringContaining("no machine takes"),
    });
  });

  test("is reached by its alias, by the balancer, and through it by the others of its environment", async () => {
    const { name: network } = await bed.runtime.ensureNetwork(environment);
    const { address } = await bed.runtime.start(instance(serve, { aliases: ["shop"] }));
    const directory = await mkdtemp(join(tmpdir(), "towline-swarm-balancer-"));
    const { install, socketPath } = bed;
    const publish = { host: "127.0.0.1", port: 8300 };
    const balancer = createHaproxyBalancer({ install, socketPath, image: haproxyImage, directory, publish });
    const slots = [{ address: { host: address!, port: 8080 }, state: "ready", weight: 100 } as const, emptySlot];
    await balancer.apply({ routes: [{ id: "shop.test", hosts: ["shop.test"], network, internalPort: 10_000, slots }] });
    await until(async () => (await balancer.serving("shop.test")).length > 0);
    const fetching = (url: string) => `fetch("${url}", { signal: AbortSignal.timeout(1500) })
      .then((a) => a.text()).then(console.log, (error) => console.log("no:", error.name)).finally(() => process.exit())`;
    for (const url of ["http://shop:8080", "http://balancer:10000"])
      await until(async () => (await printed(fetching(url)))[0] === "hello");
    await balancer.remove();
    await rm(directory, { recursive: true, force: true });
  });

  test("of another installation is not seen, not stopped and not removed", async () => {
    const { id } = await bed.runtime.start(instance(serve));
    const other = createSwarmRuntime({ install: `${bed.install}-other`, socketPath: bed.socketPath });
    expect(await other.inspect(id)).toBeUndefined();
    expect(await other.list({})).toEqual([]);
    await other.stop(id, { graceMs: 0 });
    await other.remove(id);
    await expect(other.logs(id, { lines: 1 })).rejects.toMatchObject({ code: "not-found" });
    expect(await bed.runtime.inspect(id)).toMatchObject({ state: "running" });
  });

  test("an engine that manages no swarm has nothing of ours, and says what to do when it is asked for more", async () => {
    await bed.leave();
    expect(await bed.runtime.list({})).toEqual([]);
    await expect(bed.runtime.ensureNetwork(environment)).rejects.toMatchObject({
      code: "unfit",
      message: expect.stringContaining("docker swarm init"),
    });
  });
});
