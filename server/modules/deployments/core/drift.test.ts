import { expect, test } from "vitest";
import { driftOf, type Found, type Wanted } from "./drift.ts";

const wanted: Wanted = {
  ...{ service: "orders", environment: "test", instances: ["orders-1"], image: "orders@sha256:1" },
  known: new Set(["a"]),
  slots: new Map([["orders-1", "10.0.0.1"]]),
};
const found = (more: Partial<Found> = {}): Found => ({
  ...{ name: "orders-1", deployment: "a", service: "orders", environment: "test" },
  ...{ image: "orders@sha256:1", state: "running", address: "10.0.0.1", ...more },
});

test("what is as it should be is no drift", () => {
  expect(driftOf(wanted, [found()])).toEqual({ broken: [], changed: [], words: [] });
});

test.each([
  ["removed", [], "orders-1 is gone"],
  ["stopped", [found({ state: "exited" })], "orders-1 is exited"],
  ["changed", [found({ image: "orders@sha256:2" })], "orders-1 runs another image (orders@sha256:2)"],
  ["at another address than its slot", [found({ address: "10.0.0.9" })], "orders-1 does not get its traffic"],
])("an instance that was %s is told and brought back", (_, present, words) => {
  expect(driftOf(wanted, present)).toMatchObject({ broken: ["orders-1"], words: [words] });
});

test("one that the engine starts again is told and left to it; one that was added is told", () => {
  expect(driftOf(wanted, [found({ state: "restarting" })])).toMatchObject({
    broken: [],
    words: ["orders-1 is restarting"],
  });
  expect(driftOf(wanted, [found({ state: "restarting", lostWith: "machine-3" })])).toMatchObject({
    broken: [],
    words: ["orders-1 was lost with the machine machine-3, and starts on another one"],
  });
  const stranger = found({ name: "stray", deployment: "z" });
  expect(driftOf(wanted, [found(), stranger])).toMatchObject({ broken: [], words: ["stray does not belong here"] });
  expect(driftOf(wanted, [found(), found({ name: "guest", deployment: undefined })]).words).toEqual([]);
});
