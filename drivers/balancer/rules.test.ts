import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BalancerConfig, emptySlot, type Route } from "./contract.ts";
import { checkConfig, checkSlot } from "./rules.ts";

const route: Route = { id: "shop.test", hosts: ["shop.test.localhost"], network: "net", slots: [emptySlot] };
const invalid = expect.objectContaining({ code: "invalid" });

describe("what may stand in a balancer's configuration", () => {
  test.each<[string, Partial<Route>]>([
    ["an id with a space", { id: "a b" }],
    ["an id with capitals", { id: "Shop" }],
    ["an empty id", { id: "" }],
    ["a host name with a port", { hosts: ["a.localhost:80"] }],
    ["a host name with a star", { hosts: ["*.localhost"] }],
    ["a host name that ends in a line break", { hosts: ["a.localhost\n"] }],
    ["the same host name twice", { hosts: ["a.localhost", "a.localhost"] }],
    ["a network with a slash", { network: "a/b" }],
    ["a port below the range", { internalPort: 9_999 }],
    ["a port above the range", { internalPort: 30_000 }],
    ["half a port", { internalPort: 10_000.5 }],
    ["a health path without slash", { healthPath: "health" }],
    ["a health path with a quote", { healthPath: "/a'b" }],
    ["a health path with a comment", { healthPath: "/a#b" }],
    ["a health path with half an escape", { healthPath: "/a%2" }],
    ["no slot", { slots: [] }],
    ["too many slots", { slots: Array.from({ length: 65 }, () => emptySlot) }],
    ["an address with a name", { slots: [{ ...emptySlot, address: { host: "localhost", port: 80 } }] }],
    ["an address of IPv6", { slots: [{ ...emptySlot, address: { host: "::1", port: 80 } }] }],
    ["port 0", { slots: [{ ...emptySlot, address: { host: "10.0.0.1", port: 0 } }] }],
    ["a weight above 256", { slots: [{ ...emptySlot, weight: 257 }] }],
  ])("is not %s", (_, change) => {
    expect(() => checkConfig({ routes: [{ ...route, ...change }] })).toThrow(invalid);
  });

  test.each<[string, BalancerConfig]>([
    ["two routes by one id", { routes: [route, { ...route, hosts: [] }] }],
    ["one host name for two routes", { routes: [route, { ...route, id: "other" }] }],
    [
      "one port for two routes",
      {
        routes: [
          { ...route, internalPort: 10_000 },
          { ...route, id: "other", hosts: [], internalPort: 10_000 },
        ],
      },
    ],
  ])("are not %s", (_, config) => {
    expect(() => checkConfig(config)).toThrow(invalid);
  });

  test("is what the platform makes", () => {
    const address = { host: "172.18.0.10", port: 8080 };
    const slots = [{ address, state: "ready" as const, weight: 100 }, emptySlot];
    checkConfig({ routes: [{ ...route, internalPort: 10_000, healthPath: "/health?deep=1&x=%2F", slots }] });
    checkConfig({ routes: [] });
  });

  test("is never a state that is none", () => {
    fc.assert(
      fc.property(fc.string(), (state) => {
        fc.pre(!["ready", "drain", "maint"].includes(state));
        expect(() => checkSlot({ ...emptySlot, state: state as "ready" })).toThrow(invalid);
      }),
    );
  });
});
