import fc from "fast-check";
import { expect, test } from "vitest";
import type { Instance } from "#drivers/runtime/contract.ts";
import { isTold, restartOf } from "./restarts.ts";

const instance = (more: Partial<Instance>): Instance => ({
  ...{ id: "1", name: "orders-1", environment: "test", kind: "service", labels: {}, image: "a", imageId: "b" },
  ...{ state: "running", oomKilled: false, restarts: 0, ...more },
});

test("what ended by itself is said with how often, and its last exit code while that is known", () => {
  expect(restartOf(instance({}))).toBeUndefined();
  expect(restartOf(instance({ restarts: 3 }))).toBe("orders-1 ended by itself and was started again 3 times");
  expect(restartOf(instance({ restarts: 1, state: "restarting", exitCode: 7 }))).toBe(
    "orders-1 ended by itself and was started again once, last with exit code 7",
  );
});

test("however often it ends, it is told at the first time, and then ever more rarely", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 500 }), (steps) => {
      let restarts = 0;
      let toldAt = 0;
      let told = 0;
      for (const step of steps) {
        restarts += step;
        if (!isTold(restarts, toldAt)) continue;
        toldAt = restarts;
        told += 1;
      }
      expect(told).toBeLessThanOrEqual(restarts === 0 ? 0 : Math.floor(Math.log2(restarts)) + 1);
      if (restarts > 0) expect(told).toBeGreaterThan(0);
    }),
  );
});
