import { expect, test } from "vitest";
import { instanceOf, type Seen, type Service, type Task } from "./read.ts";

const template = { ContainerSpec: { Image: "orders@sha256:1" } };
const labels = { "towline.install": "test", "towline.kind": "service", "towline.name": "orders-1" };
const service: Service = {
  ...{ ID: "s", Version: { Index: 1 }, CreatedAt: "2026-01-01" },
  Spec: { Name: "orders", Labels: labels, TaskTemplate: template },
};
const task = (number: number, NodeID: string, State: string): Task => ({
  ...{ ID: `t${number}`, ServiceID: "s", NodeID, CreatedAt: `2026-01-0${number}`, DesiredState: "running" },
  ...{ Spec: template, Status: { Timestamp: "2026-01-01", State, ContainerStatus: { ContainerID: `c${number}` } } },
});
const instance = (tasks: Task[], more: Partial<Seen> = {}) =>
  instanceOf({ ...{ service, tasks, down: new Map(), paused: new Map(), imageId: "" }, ...more }, "test");

test("an instance on a machine that answers is neither lost nor leaving", () => {
  const read = instance([task(1, "a", "running")], { down: new Map([["b", "worker-b"]]) });
  expect(read).toMatchObject({ state: "running" });
  expect(read).not.toHaveProperty("lostWith");
  expect(read).not.toHaveProperty("leaving");
});

test("one on a machine that does not answer is lost with it, until it runs on another one", () => {
  const down = new Map([["a", "worker-a"]]);
  const lost = { state: "restarting", lostWith: "worker-a", restarts: 0 };
  const former = task(1, "a", "running");
  expect(instance([former], { down })).toMatchObject(lost);
  const orphan = { ...former, DesiredState: "shutdown" };
  expect(instance([orphan, task(2, "b", "starting")], { down })).toMatchObject(lost);
  const back = instance([orphan, task(2, "b", "running")], { down });
  expect(back).toMatchObject({ state: "running" });
  expect(back).not.toHaveProperty("lostWith");
});

test("one on a machine that is paused is to leave it", () => {
  const paused = new Map([["a", "worker-a"]]);
  expect(instance([task(1, "a", "running")], { paused })).toMatchObject({ state: "running", leaving: "worker-a" });
});
