import { expect, test } from "vitest";
import { matching, type Status } from "./matching.ts";

type Cell = Status["services"][number]["cells"][number];

const quiet = { release: 1, healthy: true, drift: [], waiting: [], running: null, last: { outcome: "succeeded" } };
const cellOf = (more: object) => ({ environment: "test", ...quiet, ...more }) as unknown as Cell;
const status: Pick<Status, "services"> = {
  services: [
    { service: "catalog", owner: "shop", cells: [cellOf({})] },
    { service: "orders", owner: "checkout", cells: [cellOf({ running: {} }), cellOf({ waiting: [{}] })] },
    { service: "billing", owner: null, cells: [cellOf({ last: { outcome: "rolled-back" } })] },
  ],
};
const names = (find: string, state: Parameters<typeof matching>[2] = "all") =>
  matching(status, find, state).map(({ service }) => service);

test("every word is found in the name or the team", () => {
  expect(names("")).toEqual(["catalog", "orders", "billing"]);
  expect(names("Check ord")).toEqual(["orders"]);
  expect(names("shop orders")).toEqual([]);
});

test("a state is that of any of the places of a service", () => {
  expect(names("", "on fire")).toEqual(["billing"]);
  expect(names("", "moving")).toEqual(["orders"]);
  expect(names("", "waiting")).toEqual(["orders"]);
});

test("what is being rolled out anew is not on fire for how the last one ended", () => {
  const again = cellOf({ last: { outcome: "failed" }, running: {} });
  const only = { services: [{ service: "a", owner: null, cells: [again] }] };
  expect(matching(only, "", "on fire")).toEqual([]);
});
