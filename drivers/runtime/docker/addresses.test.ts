import { isIPv4 } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { dealt, gateway, nextAddress, type Pool, poolOf } from "./addresses.ts";

const pools = fc.record({ bits: fc.integer({ min: 8, max: 26 }), net: fc.nat(2 ** 20) }).map(({ bits, net }): Pool => {
  const base = Math.floor((net * 2 ** 12) / 2 ** (32 - bits)) * 2 ** (32 - bits);
  const subnet = `${[24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join(".")}/${bits}`;
  return poolOf(subnet)!;
});

test("a subnet is halved: instances below, the engine above", () => {
  const pool = poolOf("172.18.0.0/16")!;
  expect(gateway(pool)).toBe("172.18.0.1");
  expect(dealt(pool)).toBe("172.18.128.0/17");
  expect(nextAddress(pool, new Set(), undefined)).toBe("172.18.0.10");
  expect(nextAddress(pool, new Set(["172.18.0.10"]), undefined)).toBe("172.18.0.11");
  expect(nextAddress(pool, new Set(), "172.18.0.255")).toBe("172.18.1.0");
  expect(nextAddress(pool, new Set(), "172.18.127.255")).toBe("172.18.0.10");
});

test("what is no subnet, or too small a one, has no pool", () => {
  for (const subnet of ["", "fd00::/64", "172.18.0.0", "10.0.0.0/27"]) expect(poolOf(subnet)).toBeUndefined();
});

test("every address is free and in the lower half, and each is given once before one comes again", () => {
  fc.assert(
    fc.property(pools, fc.integer({ min: 1, max: 100 }), (pool, count) => {
      const used = new Set<string>();
      let last: string | undefined;
      for (let made = 0; made < Math.min(count, pool.size / 2 - 10); made++) {
        const address = nextAddress(pool, used, last);
        expect(address !== undefined && isIPv4(address) && !used.has(address)).toBe(true);
        last = address;
        used.add(address!);
      }
    }),
  );
});

test("an address that was given back is not given out again at once", () => {
  fc.assert(
    fc.property(pools, (pool) => {
      const first = nextAddress(pool, new Set(), undefined)!;
      expect(nextAddress(pool, new Set(), first)).not.toBe(first);
    }),
  );
});

test("a full subnet has none", () => {
  const pool = poolOf("10.0.0.0/26")!;
  const used = new Set(Array.from({ length: 22 }, (_, index) => `10.0.0.${10 + index}`));
  expect(nextAddress(pool, used, undefined)).toBeUndefined();
  used.delete("10.0.0.15");
  expect(nextAddress(pool, used, "10.0.0.20")).toBe("10.0.0.15");
});
