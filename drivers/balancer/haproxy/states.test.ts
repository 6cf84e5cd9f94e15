import { expect, test } from "vitest";
import { emptySlot, type Route } from "../contract.ts";
import type { ServerState } from "./parse.ts";
import { renderStates } from "./states.ts";

const at = (last: number) => ({ host: `10.0.0.${last}`, port: 80 });
const route: Route = {
  ...{ id: "shop", hosts: [], network: "net" },
  slots: [
    { address: at(1), state: "ready", weight: 50 },
    { address: at(2), state: "drain", weight: 100 },
    { address: at(3), state: "maint", weight: 100 },
    emptySlot,
  ],
};
/** Slot, address, state (2: runs, 0: must pass a check), weights. */
const told = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.includes("route_shop"))
    .map((line) =>
      line
        .split(" ")
        .filter((_, index) => [3, 4, 5, 7, 8, 18].includes(index))
        .join(" "),
    );

test("a process that starts by itself takes all that may serve for healthy, as its configuration has them", () => {
  const text = renderStates({ routes: [route] });
  expect(told(text)).toEqual(["s0 10.0.0.1 2 50 50 80", "s1 10.0.0.2 2 0 0 80"]);
  expect(text).toMatch(/^1\n/);
});

test("one that takes over has those checked first that were not healthy in the process before, in whatever slot", () => {
  const seen = { name: "s3", up: true, maint: false, drain: false, weight: 0, passed: true, checking: false };
  const known = (...servers: ServerState[]) => new Map([["route_shop", servers]]);
  const states = (servers: ServerState[]) => told(renderStates({ routes: [route] }, known(...servers)));
  expect(states([{ ...seen, ...at(2) }])).toEqual(["s0 10.0.0.1 0 50 50 80", "s1 10.0.0.2 2 0 0 80"]);
  expect(
    states([
      { ...seen, ...at(1), up: false },
      { ...seen, ...at(2), maint: true },
    ]),
  ).toEqual(["s0 10.0.0.1 0 50 50 80", "s1 10.0.0.2 0 0 0 80"]);
});
