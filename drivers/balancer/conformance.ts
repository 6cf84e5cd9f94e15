/** What every balancer must do, as one suite. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#testing/until.ts";
import { type Address, type Balancer, emptySlot, type Route, type Slot } from "./contract.ts";

/** An instance that the suite steers. */
export interface TestInstance {
  name: string;
  address: Address;
  /** What its health path answers: yes at the start. */
  healthy: boolean;
  /** Begins a request that lasts until the function given back is called. */
  occupy(host: string): Promise<() => Promise<void>>;
}

export interface BalancerHarness extends AsyncDisposable {
  balancer: Balancer;
  /** A network that exists. */
  network: string;
  instance(name: string): Promise<TestInstance>;
  /** Name of the instance that answers a request to this host name, or the status when none does. */
  request(host: string): Promise<string | number>;
  /** Makes so many requests that take some time, one after the other. */
  take(host: string, times: number): Promise<void>;
}

const health = "/health";

export function balancerConformance(what: string, setUp: () => Promise<BalancerHarness>): void {
  describe(`${what} keeps the contract of a balancer`, () => {
    let harness: BalancerHarness;
    let serial = 0;
    beforeAll(async () => void (harness = await setUp()), 120_000);
    afterAll(async () => await harness?.[Symbol.asyncDispose](), 60_000);

    const route = (slots: readonly Slot[], more: Partial<Route> = {}): Route => {
      const id = `route-${++serial}`;
      return { id, hosts: [`${id}.localhost`], network: harness.network, healthPath: health, slots, ...more };
    };
    /** Applies one route with as many empty slots. */
    const applied = async (slots: number, more: Partial<Route> = {}) => {
      const made = route(
        Array.from({ length: slots }, () => emptySlot),
        more,
      );
      await harness.balancer.apply({ routes: [made] });
      return { id: made.id, host: made.hosts[0]!, made };
    };
    const ready = ({ address }: TestInstance, weight = 100): Slot => ({ address, state: "ready", weight });
    const isUp = (id: string, slot: number) =>
      until(async () => (await harness.balancer.health([{ route: id, position: slot }]))[0]?.health === "up");

    /** A balancer may have forgotten what a check found while the next is under way. */
    const tell = (id: string, positions: number[], wanted: string) =>
      until(async () => {
        const found = await harness.balancer.health(positions.map((position) => ({ route: id, position })));
        return found.map(({ detail }) => detail).join(" ") === wanted;
      });

    test("a ready slot gets requests once its check has passed", async () => {
      const a = await harness.instance("a");
      const { id, host } = await applied(2);
      expect(await harness.request(host)).toBe(503);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      await isUp(id, 0);
      expect(await harness.request(host)).toBe("a");
      await tell(id, [0], "200");
    });

    test("slots given with the routes serve as those set later", async () => {
      const a = await harness.instance("a");
      const made = route([ready(a), emptySlot]);
      await harness.balancer.apply({ routes: [made] });
      await until(async () => (await harness.request(made.hosts[0]!)) === "a");
    });

    test("an address whose check fails gets no request, whatever its state, and serves when the check passes", async () => {
      const [a, b] = [await harness.instance("a"), await harness.instance("b")];
      b.healthy = false;
      const { id, host } = await applied(2);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      await isUp(id, 0);
      await harness.balancer.setSlots([{ route: id, position: 1, slot: ready(b) }]);
      await until(async () => (await harness.balancer.health([{ route: id, position: 1 }]))[0]?.health === "down");
      expect(await answers(harness, host, 10)).toEqual(["a"]);
      await tell(id, [0, 1], "200 503");
      b.healthy = true;
      await isUp(id, 1);
      expect(await answers(harness, host, 10)).toEqual(["a", "b"]);
    });

    test("a slot that changes to another address does not inherit the health of the one before", async () => {
      const [a, b] = [await harness.instance("a"), await harness.instance("b")];
      b.healthy = false;
      const { id, host } = await applied(1);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      await isUp(id, 0);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(b) }]);
      expect(await harness.request(host)).toBe(503);
      expect((await harness.balancer.health([{ route: id, position: 0 }]))[0]?.health).not.toBe("up");
    });

    test("a slot that drains is checked, gets no request, and shows its sessions until they end", async () => {
      const [a, b] = [await harness.instance("a"), await harness.instance("b")];
      const { id, host } = await applied(2);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      await isUp(id, 0);
      const release = await a.occupy(host);
      expect(await harness.balancer.sessions(id, 0)).toBe(1);
      await harness.balancer.setSlots([{ route: id, position: 1, slot: ready(b) }]);
      await isUp(id, 1);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: { ...ready(a), state: "drain" } }]);
      expect(await answers(harness, host, 10)).toEqual(["b"]);
      expect((await harness.balancer.health([{ route: id, position: 0 }]))[0]?.health).toBe("up");
      expect(await harness.balancer.sessions(id, 0)).toBe(1);
      await release();
      await until(async () => (await harness.balancer.sessions(id, 0)) === 0);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: { ...ready(a), state: "maint" } }]);
      expect(await harness.balancer.health([{ route: id, position: 0 }])).toEqual([{ health: "unknown" }]);
    });

    test("a slot that drained serves again when it is ready", async () => {
      const a = await harness.instance("a");
      const { id, host } = await applied(1);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: { ...ready(a), state: "drain" } }]);
      await isUp(id, 0);
      expect(await harness.request(host)).toBe(503);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      expect(await harness.request(host)).toBe("a");
    });

    test("requests fall by weight, and none on a weight of 0", async () => {
      const [a, b] = [await harness.instance("a"), await harness.instance("b")];
      const { id, host } = await applied(2);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      await harness.balancer.setSlots([{ route: id, position: 1, slot: ready(b, 0) }]);
      await isUp(id, 0);
      await isUp(id, 1);
      expect(await answers(harness, host, 10)).toEqual(["a"]);
      await harness.balancer.setSlots([{ route: id, position: 1, slot: ready(b, 100) }]);
      expect(await answers(harness, host, 10)).toEqual(["a", "b"]);
    });

    test("it tells who gets new requests: what is open, healthy and has a weight", async () => {
      const [a, b, c] = [await harness.instance("a"), await harness.instance("b"), await harness.instance("c")];
      c.healthy = false;
      const { id } = await applied(4);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      await harness.balancer.setSlots([{ route: id, position: 1, slot: { ...ready(b), state: "drain" } }]);
      await harness.balancer.setSlots([{ route: id, position: 2, slot: ready(c) }]);
      await isUp(id, 0);
      await isUp(id, 1);
      const told = ({ address }: TestInstance) => `${address.host}:${address.port}`;
      expect(await harness.balancer.serving(id)).toEqual([told(a)]);
      await harness.balancer.setSlots([{ route: id, position: 1, slot: ready(b) }]);
      expect(await harness.balancer.serving(id)).toEqual([told(a), told(b)]);
      await expect(harness.balancer.serving("nowhere")).rejects.toMatchObject({ code: "not-found" });
    });

    test("it tells how long the requests since a cursor took, once each, by slot, and who asked whom lately", async () => {
      const [a, b] = [await harness.instance("a"), await harness.instance("b")];
      const { id, host } = await applied(3);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      await harness.balancer.setSlots([{ route: id, position: 2, slot: ready(b) }]);
      await isUp(id, 0);
      await isUp(id, 2);
      let { cursor } = await harness.balancer.timings(id, undefined);
      const read = async () => {
        const next = await harness.balancer.timings(id, cursor);
        cursor = next.cursor;
        return next.slots;
      };
      await harness.take(host, 6);
      const found: number[][] = [[], [], []];
      // A line is there a moment after its answer.
      await until(async () => {
        for (const [slot, times] of (await read()).entries()) found[slot]?.push(...times);
        return found.flat().length >= 6;
      });
      expect(found.map((times) => times.length > 0)).toEqual([true, false, true]);
      expect(found.flat()).toHaveLength(6);
      expect(found.flat().every((time) => time >= 0 && time < 10_000)).toBe(true);
      expect(await read()).toEqual([[], [], []]);
      const { since, requests } = await harness.balancer.recent();
      const mine = requests.filter(({ route: of }) => of === id);
      expect(mine).toHaveLength(6);
      const hosts = new Set([a, b].map(({ address }) => address.host));
      expect(new Set(mine.map(({ to }) => to))).toEqual(hosts);
      expect(mine.every(({ at, status, from }) => at >= since && status === 200 && from !== "")).toBe(true);
    });

    test("in maintenance a route answers 503, open again it serves, and other routes serve on", async () => {
      const a = await harness.instance("a");
      const [one, other] = [route([ready(a)]), route([ready(a)])];
      await harness.balancer.apply({ routes: [one, other] });
      for (const { hosts } of [one, other]) await until(async () => (await harness.request(hosts[0]!)) === "a");
      await harness.balancer.apply({ routes: [{ ...one, mode: "maintenance" }, other] });
      expect(await harness.request(one.hosts[0]!)).toBe(503);
      expect(await harness.request(other.hosts[0]!)).toBe("a");
      await harness.balancer.apply({ routes: [one, other] });
      expect(await harness.request(one.hosts[0]!)).toBe("a");
    });

    test("a route that is no longer declared serves no more, others go on", async () => {
      const a = await harness.instance("a");
      const [kept, gone] = [route([ready(a)]), route([ready(a)])];
      await harness.balancer.apply({ routes: [kept, gone] });
      for (const { hosts } of [kept, gone]) await until(async () => (await harness.request(hosts[0]!)) === "a");
      await harness.balancer.apply({ routes: [kept] });
      expect(await harness.request(gone.hosts[0]!)).toBe(404);
      expect(await harness.request(kept.hosts[0]!)).toBe("a");
    });

    test("the same configuration again changes nothing, and takes back what was set since", async () => {
      const a = await harness.instance("a");
      const { id, host, made } = await applied(1);
      const config = { routes: [{ ...made, slots: [ready(a)] }] };
      await harness.balancer.apply(config);
      await isUp(id, 0);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: { ...ready(a), state: "drain" } }]);
      await harness.balancer.apply(config);
      await harness.balancer.apply(config);
      expect(await harness.request(host)).toBe("a");
    });

    test("counters grow by what was asked, and never go down when the routes change", async () => {
      const a = await harness.instance("a");
      const { id, host, made } = await applied(2);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      await isUp(id, 0);
      const before = await harness.balancer.stats(id);
      for (let count = 0; count < 3; count++) await harness.request(host);
      const after = await harness.balancer.stats(id);
      expect(after.requests - before.requests).toBe(3);
      expect(after.slots.map(({ requests }, at) => requests - before.slots[at]!.requests)).toEqual([3, 0]);
      expect(after.serverErrors).toBe(before.serverErrors);
      await harness.balancer.apply({ routes: [{ ...made, slots: [ready(a), emptySlot] }, route([emptySlot])] });
      expect((await harness.balancer.stats(id)).requests).toBe(after.requests);
    });

    test("what may not stand in a configuration is refused and nothing changes", async () => {
      const a = await harness.instance("a");
      const { id, host, made } = await applied(1);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      await isUp(id, 0);
      const bad = [
        { ...made, id: "a b" },
        { ...made, hosts: ["x y"] },
        { ...made, healthPath: "/a b" },
        { ...made, internalPort: 80 },
        { ...made, slots: [] },
      ];
      for (const each of bad)
        await expect(harness.balancer.apply({ routes: [each] })).rejects.toMatchObject({ code: "invalid" });
      await expect(harness.balancer.apply({ routes: [made, made] })).rejects.toMatchObject({ code: "invalid" });
      const wrong = { ...ready(a), address: { host: "1.2.3.4\n", port: 1 } };
      await expect(harness.balancer.setSlots([{ route: id, position: 0, slot: wrong }])).rejects.toMatchObject({
        code: "invalid",
      });
      expect(await harness.request(host)).toBe("a");
    });

    test("a route or slot that was not declared is not found", async () => {
      const { id } = await applied(1);
      const missing = { code: "not-found" };
      await expect(
        harness.balancer.setSlots([{ route: "nowhere", position: 0, slot: emptySlot }]),
      ).rejects.toMatchObject(missing);
      await expect(harness.balancer.setSlots([{ route: id, position: 1, slot: emptySlot }])).rejects.toMatchObject(
        missing,
      );
      await expect(harness.balancer.sessions("nowhere", 0)).rejects.toMatchObject(missing);
      await expect(harness.balancer.stats("nowhere")).rejects.toMatchObject(missing);
    });

    test("who asks for the health of slots that are not applied yet is told of the others", async () => {
      const a = await harness.instance("a");
      const { id } = await applied(1);
      await harness.balancer.setSlots([{ route: id, position: 0, slot: ready(a) }]);
      await isUp(id, 0);
      const places = [
        { route: id, position: 1 },
        { route: "nowhere", position: 0 },
        { route: id, position: 0 },
      ];
      const unknown = { health: "unknown" };
      expect(await harness.balancer.health(places)).toMatchObject([unknown, unknown, { health: "up" }]);
      expect(await harness.balancer.health(places.slice(0, 2))).toEqual([unknown, unknown]);
    });

    test("a call whose signal has fired does nothing", async () => {
      const { id } = await applied(1);
      const signal = AbortSignal.abort();
      await expect(harness.balancer.health([{ route: id, position: 0 }], { signal })).rejects.toMatchObject({
        code: "aborted",
      });
      await expect(
        harness.balancer.setSlots([{ route: id, position: 0, slot: emptySlot }], { signal }),
      ).rejects.toMatchObject({ code: "aborted" });
    });

    test("removing ends it, and applying brings it back", async () => {
      const a = await harness.instance("a");
      const made = route([ready(a)]);
      await harness.balancer.apply({ routes: [made] });
      await harness.balancer.remove();
      await harness.balancer.remove();
      await expect(harness.balancer.stats(made.id)).rejects.toMatchObject({ code: "not-found" });
      await harness.balancer.apply({ routes: [made] });
      await until(async () => (await harness.request(made.hosts[0]!)) === "a");
    });
  });
}

/** The different answers to so many requests, sorted. */
async function answers(harness: BalancerHarness, host: string, times: number): Promise<(string | number)[]> {
  const seen = new Set<string | number>();
  for (let count = 0; count < times; count++) seen.add(await harness.request(host));
  return [...seen].toSorted();
}
