import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BalancerConfig, emptySlot, type Route, type Slot } from "../contract.ts";
import { checkConfig } from "../rules.ts";
import { render } from "./render.ts";

const subnets = new Map([
  ["towline-main-production", "172.18.0.0/16"],
  ["towline-main-test", "172.19.0.0/16"],
]);

function slot(last: number, state: Slot["state"], weight = 100): Slot {
  return { address: { host: `172.18.0.${last}`, port: 8080 }, state, weight };
}

const orders: Route = {
  id: "orders.production",
  hosts: ["orders.production.localhost", "orders.shop.example.com"],
  network: "towline-main-production",
  internalPort: 10_001,
  healthPath: "/health",
  slots: [slot(10, "ready"), slot(11, "drain"), slot(12, "maint"), emptySlot],
};
const catalog: Route = {
  id: "catalog.test",
  hosts: [],
  network: "towline-main-test",
  internalPort: 10_002,
  slots: [slot(10, "ready", 256)],
};
const config: BalancerConfig = { routes: [orders, catalog] };

describe("the rendered configuration", () => {
  test("is the one that was looked at", async () => {
    const { text, map, mapName } = render(config, subnets);
    await expect(text).toMatchFileSnapshot("fixtures/haproxy.cfg");
    expect(text).toContain(mapName);
    expect(map).toBe(
      "orders.production.localhost route_orders.production\norders.shop.example.com route_orders.production\n",
    );
  });

  test("lets the networks of its guests reach a route inside, and no others", () => {
    const guested = { ...catalog, guests: ["towline-main-production"] };
    const rejecting = (route: Route) => /reject unless .*/.exec(render({ routes: [route] }, subnets).text)?.[0];
    expect(rejecting(catalog)).toBe("reject unless { src 172.19.0.0/16 127.0.0.0/8 }");
    expect(rejecting(guested)).toBe("reject unless { src 172.19.0.0/16 172.18.0.0/16 127.0.0.0/8 }");
  });

  test("has the same structure whatever the slots hold, and another one for any other change", () => {
    const structure = (routes: readonly Route[]) => render({ routes }, subnets).structure;
    const before = structure([orders]);
    expect(structure([{ ...orders, slots: [emptySlot, emptySlot, slot(1, "ready"), slot(2, "drain")] }])).toBe(before);
    const changes: Partial<Route>[] = [
      { id: "other" },
      { hosts: ["orders.production.localhost"] },
      { internalPort: 10_003 },
      { network: "towline-main-test" },
      { healthPath: "/ready" },
      { slots: [emptySlot] },
    ];
    const others = changes.map((change) => structure([{ ...orders, ...change }]));
    expect(new Set([before, ...others, structure([]), structure([orders, catalog])]).size).toBe(changes.length + 3);
  });
});

describe("no value can say more than itself", () => {
  const harmful = " \n\r\t#'\"\\${}%[]/.-_ab01:*".split("");
  const nasty = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...harmful) }),
    fc.constantFrom("a\nfrontend x", "a b", "a # b", "%[src]", "${HOME}", "a' b", "/ hdr X y", "\u0000", "a\u2028b"),
  );
  const or = <T>(good: T, bad: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 4, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: bad });
  const routes = fc.record({
    id: or("shop", nasty),
    hosts: fc.array(or("shop.localhost", nasty), { maxLength: 1 }),
    network: or("towline-main-test", nasty),
    internalPort: or(10_000, fc.integer()),
    healthPath: fc.oneof(
      nasty.map((text) => `/${text}`),
      fc.webPath(),
    ),
    slots: fc.array(
      fc.record({
        address: fc.record({ host: or("10.0.0.1", fc.oneof(nasty, fc.ipV4())), port: or(80, fc.integer()) }),
        state: fc.constantFrom("ready" as const, "drain" as const, "maint" as const),
        weight: or(100, fc.integer()),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  });

  test("whatever passes the check renders to as many lines and words as harmless values do", () => {
    let passed = 0;
    const sizes = (text: string) => text.split("\n").map((line) => line.trim().split(/\s+/).length);
    fc.assert(
      fc.property(routes, (route) => {
        if (!accepted({ routes: [route] })) return;
        passed += 1;
        const known = new Map([[route.network, "10.0.0.0/8"]]);
        const harmless = {
          ...route,
          id: "x",
          hosts: route.hosts.map((_, at) => `h${at}`),
          healthPath: "/",
          slots: route.slots.map((each) => ({ ...each, address: { host: "1.1.1.1", port: 1 } })),
        };
        const [seen, plain] = [render({ routes: [route] }, known), render({ routes: [harmless] }, known)];
        expect(sizes(seen.text)).toEqual(sizes(plain.text));
        expect(sizes(seen.map)).toEqual(sizes(plain.map));
      }),
      { numRuns: 3_000 },
    );
    expect(passed).toBeGreaterThan(200);
  });
});

function accepted(given: BalancerConfig): boolean {
  try {
    checkConfig(given);
    return true;
  } catch {
    return false;
  }
}
