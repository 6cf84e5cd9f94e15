import fc from "fast-check";
import { expect, test } from "vitest";
import { balancerConfig, type Occupied, slotChanges } from "./balancer-config.ts";
import { freePosition, mostSlots, poolSize } from "./pool-size.ts";

const networks = new Map([["test", { name: "towline-test" }]]);
const front = { hosts: ["orders.test.localhost"], internalPort: 10_000, mode: "open" as const };
const pool = { id: "orders.test", environment: "test", healthPath: "/health", slots: 4, front };
const at = (position: number, state: Occupied["state"]): Occupied => ({
  ...{ pool: "orders.test", position, state },
  ...{ host: `10.0.0.${position + 1}`, port: 8080, weight: 100 },
});

test("the slots that differ are what changes", () => {
  const before = balancerConfig([pool], [at(0, "ready"), at(1, "drain"), at(2, "drain")], {
    networks,
    borrowed: undefined,
  });
  const after = balancerConfig([pool], [at(0, "drain"), at(1, "ready")], { networks, borrowed: undefined });
  expect(
    slotChanges(before, after)?.map(({ position, slot }) => [position, slot.address ? slot.state : "empty"]),
  ).toEqual([
    [0, "drain"],
    [1, "ready"],
    [2, "empty"],
  ]);
});

test("the same configuration changes nothing, and more than slots needs a whole new one", () => {
  const config = balancerConfig([pool], [at(0, "ready")], { networks, borrowed: undefined });
  expect(slotChanges(config, balancerConfig([pool], [at(0, "ready")], { networks, borrowed: undefined }))).toEqual([]);
  expect(
    slotChanges(config, balancerConfig([{ ...pool, slots: 8 }], [at(0, "ready")], { networks, borrowed: undefined })),
  ).toBeUndefined();
  expect(
    slotChanges(
      config,
      balancerConfig([{ ...pool, healthPath: "/up" }], [at(0, "ready")], { networks, borrowed: undefined }),
    ),
  ).toBeUndefined();
});

test("a pool has room for as many instances again, never shrinks and never outgrows the balancer", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 4, max: 64 }), (wanted, present) => {
      const size = poolSize(wanted, present);
      expect(size).toBeGreaterThanOrEqual(present);
      expect(size).toBeLessThanOrEqual(mostSlots);
      if (wanted <= 32) expect(size).toBeGreaterThanOrEqual(wanted * 2);
    }),
  );
});

test("the lowest free position is taken", () => {
  expect(freePosition([0, 2], 4)).toBe(1);
  expect(freePosition([0, 1], 2)).toBeUndefined();
});

test("routes of the environment that previews borrow from take the networks of all of them as guests, and no others do", () => {
  const named = new Map(
    ["test", "production", "preview-1", "preview-2"].map((name) => [name, { name: `net-${name}` }]),
  );
  const front = { hosts: [], internalPort: 10_000, mode: "open" as const };
  const pools = [...named.keys()].map((environment) => ({ ...pool, id: `orders.${environment}`, environment, front }));
  const guests = (borrowed: string | undefined) =>
    balancerConfig(pools, [], { networks: named, borrowed }).routes.map((route) => route.guests);
  expect(guests("test")).toEqual([["net-preview-1", "net-preview-2"], undefined, undefined, undefined]);
  expect(guests(undefined)).toEqual([undefined, undefined, undefined, undefined]);
});
