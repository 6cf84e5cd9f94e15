/** No request is lost: while slots are swapped, while HAProxy reloads, and over both together. */
import { Agent } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BedInstance, createTestBed, type TestBed } from "#testing/balancer-bed.ts";
import { type Load, startLoad } from "#testing/load.ts";
import { until } from "#testing/until.ts";
import { type Balancer, type BalancerConfig, emptySlot, type Route, type Slot } from "../contract.ts";
import { createMaster } from "./master.ts";

const rate = 200;

describe("HAProxy loses no request", () => {
  let bed: TestBed;
  let balancer: Balancer;
  beforeAll(async () => {
    bed = await createTestBed();
    balancer = bed.balancer;
  });
  afterAll(async () => await bed?.[Symbol.asyncDispose]());

  const host = "shop.localhost";
  const ready = ({ address }: BedInstance): Slot => ({ address, state: "ready", weight: 100 });
  const route = (slots: readonly Slot[], id = "shop"): Route => ({
    id,
    hosts: [`${id}.localhost`],
    network: bed.network,
    healthPath: "/health",
    slots,
  });
  const serving = async (instance: BedInstance) => {
    await balancer.apply({ routes: [route([ready(instance), emptySlot])] });
    await isUp(0);
  };
  const isUp = (slot: number) =>
    until(async () => (await balancer.health([{ route: "shop", position: slot }]))[0]?.health === "up");
  /** Puts the new instance into the other slot and takes the old one out, as a rollout does. */
  const swap = async (from: BedInstance, to: BedInstance, slot: number) => {
    await balancer.setSlots([{ route: "shop", position: 1 - slot, slot: { ...ready(to), state: "drain" } }]);
    await isUp(1 - slot);
    await balancer.setSlots([
      { route: "shop", position: slot, slot: { ...ready(from), state: "drain" } },
      { route: "shop", position: 1 - slot, slot: ready(to) },
    ]);
    await until(async () => (await balancer.sessions("shop", slot)) === 0);
    await balancer.setSlots([{ route: "shop", position: slot, slot: emptySlot }]);
    from.server.close().closeAllConnections();
  };
  /** A change that only a reload can make. */
  const withAnother = (config: BalancerConfig, id: string): BalancerConfig => ({
    routes: [...config.routes, route([emptySlot], id)],
  });
  /** The load goes on for a second at least, however fast the changes were, so that what comes late is seen too. */
  const lossless = async (load: Load) => {
    await until(async () => load.report().offered > rate);
    const { offered, ok, reasons } = await load.stop();
    expect(reasons).toEqual({});
    expect(ok).toBe(offered);
  };

  test("while it reloads under load", async () => {
    const a = await bed.instance("a");
    await serving(a);
    await using load = startLoad({ url: bed.url, host, rate });
    const config = { routes: [route([ready(a), emptySlot])] };
    for (let count = 0; count < 5; count++) {
      await sleep(300);
      await balancer.apply(count % 2 === 0 ? withAnother(config, `extra-${count}`) : config);
    }
    await lossless(load);
  });

  test("while instances are swapped under load, with a reload between", async () => {
    let [old, slot] = [await bed.instance("0"), 0];
    await serving(old);
    await using load = startLoad({ url: bed.url, host, rate });
    for (let count = 1; count <= 5; count++) {
      const next = await bed.instance(String(count));
      await swap(old, next, slot);
      [old, slot] = [next, 1 - slot];
      const slots = slot === 0 ? [ready(old), emptySlot] : [emptySlot, ready(old)];
      if (count % 2 === 0) await balancer.apply(withAnother({ routes: [route(slots)] }, `more-${count}`));
    }
    expect(await bed.request(host)).toBe("5");
    await lossless(load);
  });

  test("while an instance that is just well enough fails a check as a reload comes", async () => {
    const a = await bed.instance("a");
    await serving(a);
    await using load = startLoad({ url: bed.url, host, rate });
    const config = { routes: [route([ready(a), emptySlot])] };
    for (let count = 0; count < 5; count++) {
      // It takes three in a row to take one out; this process, which is the instance, may be late for another one.
      a.failing = 1;
      await balancer.apply(count % 2 === 0 ? withAnother(config, `extra-${count}`) : config);
      await until(() => a.failing === 0);
      await sleep(500);
    }
    await lossless(load);
  });

  test("while instances whose checks take long are swapped, all slots in one change", async () => {
    let [old, slot] = [await bed.instance("0"), 0];
    await serving(old);
    await using load = startLoad({ url: bed.url, host, rate });
    for (let count = 1; count <= 4; count++) {
      const next = await bed.instance(String(count));
      next.checkTakesMs = 500;
      await swap(old, next, slot);
      [old, slot] = [next, 1 - slot];
    }
    await lossless(load);
  });

  test("while a whole configuration is applied that closes the slot that serves and opens one that no process has checked", async () => {
    let [old, slot] = [await bed.instance("a"), 0];
    await serving(old);
    await using load = startLoad({ url: bed.url, host, rate });
    const slots = (first: Slot, second: Slot) => (slot === 0 ? [first, second] : [second, first]);
    for (let count = 1; count <= 4; count++) {
      const next = await bed.instance(String(count));
      await balancer.apply({ routes: [route(slots(ready(old), emptySlot))] });
      await balancer.apply({ routes: [route(slots({ ...ready(old), state: "drain" }, ready(next)))] });
      expect(await bed.request(host)).toBe(String(count));
      [old, slot] = [next, 1 - slot];
    }
    await lossless(load);
  });

  test("while its host name goes from one route to another, as when the health path changes", async () => {
    const [a, b] = [await bed.instance("a"), await bed.instance("b")];
    const [here, there] = [route([ready(a)]), { ...route([ready(b)], "next"), hosts: [] }];
    await balancer.apply({ routes: [here, there] });
    await isUp(0);
    await until(async () => (await balancer.health([{ route: "next", position: 0 }]))[0]?.health === "up");
    await using load = startLoad({ url: bed.url, host, rate });
    for (let count = 0; count < 4; count++) {
      await sleep(300);
      const [from, to] = count % 2 === 0 ? [here, there] : [there, here];
      await balancer.apply({
        routes: [
          { ...from, hosts: [] },
          { ...to, hosts: [host] },
        ],
      });
      expect(await bed.request(host)).toBe(count % 2 === 0 ? "b" : "a");
    }
    await lossless(load);
  });

  test("when a connection that a client kept through a reload is used after the instances were swapped", async () => {
    const [a, b] = [await bed.instance("a"), await bed.instance("b")];
    await serving(a);
    using agent = kept();
    expect((await bed.get(host, { agent })).body).toBe("a");
    await balancer.apply(withAnother({ routes: [route([ready(a), emptySlot])] }, "another"));
    await swap(a, b, 0);
    const sockets = Object.values(agent.freeSockets).flat();
    expect(sockets).toHaveLength(1);
    expect((await bed.get(host, { agent, method: "POST" })).body).toBe("b");
    expect(agent.made).toBe(1);
  });

  test("a session from before a reload is counted until it ends", async () => {
    const a = await bed.instance("a");
    await serving(a);
    const release = await a.occupy(host);
    await balancer.apply(withAnother({ routes: [route([ready(a), emptySlot])] }, "yet-another"));
    const { old } = await createMaster(join(bed.options.directory, "master.sock")).processes(
      AbortSignal.timeout(5_000),
    );
    expect(old.length).toBeGreaterThan(0);
    expect(await balancer.sessions("shop", 0)).toBe(1);
    await balancer.setSlots([{ route: "shop", position: 0, slot: { ...ready(a), state: "drain" } }]);
    expect(await balancer.sessions("shop", 0)).toBe(1);
    await release();
    await until(async () => (await balancer.sessions("shop", 0)) === 0);
  });

  test("a request that an instance refuses goes to another one", async () => {
    const [a, b] = [await bed.instance("a"), await bed.instance("b")];
    await balancer.apply({ routes: [route([ready(a), ready(b)])] });
    await isUp(0);
    await isUp(1);
    a.server.close().closeAllConnections();
    for (let count = 0; count < 6; count++) expect(await bed.request(host)).toBe("b");
  });
});

/** An agent that keeps its connections and counts those it made. */
function kept(): Agent & Disposable & { made: number } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const counted = Object.assign(agent, { made: 0, [Symbol.dispose]: () => agent.destroy() });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...given) => {
    counted.made += 1;
    return connect(...given);
  };
  return counted;
}
