import { expect, test } from "vitest";
import { healthOf } from "./health.ts";

const runs = (...names: string[]) => names.map((name) => ({ name, state: "running" as const }));
const up = { health: "up" as const };
const down = { health: "down" as const };
const unknown = { health: "unknown" as const };

test("what serves is healthy once every instance runs and passes its check", () => {
  const seen = { instances: runs("a", "b"), health: { a: up, b: up } };
  expect(healthOf(["a", "b"], seen)).toEqual({ instances: { healthy: 2, wanted: 2 }, healthy: true });
});

test("an instance whose check fails, or that does not run, makes it unhealthy", () => {
  expect(healthOf(["a", "b"], { instances: runs("a", "b"), health: { a: up, b: down } })).toEqual({
    instances: { healthy: 1, wanted: 2 },
    healthy: false,
  });
  expect(healthOf(["a", "b"], { instances: runs("a"), health: { a: up, b: up } }).healthy).toBe(false);
});

test("a check that has not ended yet makes it unknown, not unhealthy, and hides no instance that is ill", () => {
  const instances = runs("a", "b", "c");
  expect(healthOf(["a", "b"], { instances, health: { a: up, b: unknown } })).toEqual({
    instances: { healthy: 1, wanted: 2 },
    healthy: null,
  });
  expect(healthOf(["a", "c"], { instances, health: { a: up } }).healthy).toBe(null);
  expect(healthOf(["a", "b", "c"], { instances, health: { a: up, b: unknown, c: down } }).healthy).toBe(false);
});

test("nothing is known where engine or balancer do not answer, and nothing that should run is not healthy", () => {
  expect(healthOf(["a"], undefined)).toEqual({ instances: { healthy: null, wanted: 1 }, healthy: null });
  expect(healthOf([], undefined)).toEqual({ instances: { healthy: 0, wanted: 0 }, healthy: false });
});
