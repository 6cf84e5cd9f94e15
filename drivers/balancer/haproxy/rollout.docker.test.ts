/** Runtime and balancer together, as a deployment uses them: instances in containers, two environments on one host. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import type { Instance, Network } from "#drivers/runtime/contract.ts";
import { haproxyImage } from "#testing/balancer-bed.ts";
import { freePort } from "#testing/free-port.ts";
import { startLoad } from "#testing/load.ts";
import { createRuntimeBed, program, type RuntimeBed } from "#testing/runtime-bed.ts";
import { until } from "#testing/until.ts";
import { ensureBaseImages } from "../../../tools/base-images/ensure.ts";
import { type Balancer, emptySlot, type Route, type Slot } from "../contract.ts";
import { createHaproxyBalancer } from "./balancer.ts";

/** Answers within 40 ms with its release, and does not care for SIGTERM. */
const app = program(`
  process.on("SIGTERM", () => {});
  require("node:http").createServer((asked, answer) => {
    asked.resume().on("end", () => {
      if (asked.url === "/health") answer.end();
      else setTimeout(() => answer.end(process.env.RELEASE), Math.random() * 40);
    });
  }).listen(8080);
`);
const memory = 128 * 1024 * 1024;

describe("a rollout with containers", () => {
  let bed: RuntimeBed;
  let balancer: Balancer;
  let directory: string;
  let url: string;
  const networks: Record<string, Network> = {};
  beforeAll(async () => {
    const images = await ensureBaseImages(["haproxy"], { log: () => {} });
    if (isRefusal(images)) throw new Error(images.message);
    bed = await createRuntimeBed();
    for (const environment of ["production", "test"])
      networks[environment] = await bed.runtime.ensureNetwork(environment);
    directory = await mkdtemp(join(tmpdir(), "towline-balancer-"));
    const publish = { host: "127.0.0.1", port: await freePort() };
    url = `http://127.0.0.1:${publish.port}`;
    balancer = createHaproxyBalancer({ install: bed.install, image: haproxyImage, directory, publish });
  });
  afterAll(async () => {
    await balancer?.remove();
    for (const { id } of await bed.runtime.list({})) await bed.runtime.remove(id);
    for (const environment of Object.keys(networks))
      await bed.runtime.removeEnvironment(environment, { volumes: "delete" });
    await rm(directory, { recursive: true, force: true });
  });

  const ports: Record<string, number> = { production: 10_001, test: 10_002 };
  const route = (environment: string, slots: readonly Slot[]): Route => ({
    id: `shop.${environment}`,
    hosts: [`shop.${environment}.localhost`],
    network: networks[environment]!.name,
    internalPort: ports[environment]!,
    healthPath: "/health",
    slots,
  });
  const start = (environment: string, release: number) =>
    bed.runtime.start({
      name: `shop-${environment}-${release}`,
      environment,
      kind: "service",
      image: bed.image,
      command: app,
      env: { RELEASE: String(release) },
      labels: {},
      cpu: 1,
      memory,
    });
  const slotOf = ({ address = "" }: Instance, state: Slot["state"]): Slot => ({
    address: { host: address, port: 8080 },
    state,
    weight: 100,
  });
  const isUp = (environment: string, slot: number) =>
    until(async () => (await balancer.health([{ route: `shop.${environment}`, position: slot }]))[0]?.health === "up");
  const roll = async (old: Instance, next: Instance, slot: number) => {
    const id = "shop.production";
    await balancer.setSlots([{ route: id, position: 1 - slot, slot: slotOf(next, "drain") }]);
    await isUp("production", 1 - slot);
    await balancer.setSlots([
      { route: id, position: slot, slot: slotOf(old, "drain") },
      { route: id, position: 1 - slot, slot: slotOf(next, "ready") },
    ]);
    await until(async () => (await balancer.sessions(id, slot)) === 0);
    await balancer.setSlots([{ route: id, position: slot, slot: emptySlot }]);
    await bed.runtime.stop(old.id, { graceMs: 0 });
    await bed.runtime.remove(old.id);
  };

  test("five releases under 200 requests a second, and none is lost though the instances are killed", async () => {
    let [running, slot] = [await start("production", 0), 0];
    await balancer.apply({ routes: [route("production", [slotOf(running, "ready"), emptySlot])] });
    await isUp("production", 0);
    const answered = new Set<string>();
    await using load = startLoad({
      url,
      host: "shop.production.localhost",
      rate: 200,
      onAnswer: ({ body }) => void answered.add(body),
    });
    for (let release = 1; release <= 5; release++) {
      const next = await start("production", release);
      await roll(running, next, slot);
      [running, slot] = [next, 1 - slot];
    }
    const { offered, ok, reasons } = await load.stop();
    expect(reasons).toEqual({});
    expect(ok).toBe(offered);
    expect([...answered]).toEqual(expect.arrayContaining(["0", "1", "2", "3", "4", "5"]));
  });

  test("an instance of one environment reaches its own routes and not those of another", async () => {
    const instances = { production: await start("production", 9), test: await start("test", 9) };
    const slots = (environment: "production" | "test") => [slotOf(instances[environment], "ready")];
    await balancer.apply({ routes: [route("production", slots("production")), route("test", slots("test"))] });
    await isUp("production", 0);
    await isUp("test", 0);
    const asking = (environment: string, target: string) =>
      bed.runtime.runOnce({
        name: `ask-${environment}-${target}`,
        environment,
        image: bed.image,
        command: program(`
          fetch("http://balancer:${ports[target]}/").then(async (answer) => console.log(answer.status, await answer.text()),
            (error) => console.log(error.cause.code))`),
        env: {},
        labels: {},
        cpu: 1,
        memory,
      });
    expect((await asking("test", "test")).tail).toEqual(["200 9"]);
    expect((await asking("production", "production")).tail).toEqual(["200 9"]);
    expect((await asking("test", "production")).tail.join()).toMatch(/^(ECONNRESET|UND_ERR_SOCKET)$/);
  });
});
