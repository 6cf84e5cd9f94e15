import { expect, test } from "vitest";
import { buildList } from "./build-list.ts";

test("the service and all it depends on are built, what has an image or is not needed is not", () => {
  const text = `
services:
  unit: { build: . }
  integration: { build: ., depends_on: { orders: { condition: service_healthy } } }
  orders: { build: ., depends_on: [db, stub] }
  db: { image: postgres }
  stub: { build: stub, links: ["clock:time"], network_mode: "service:sidecar" }
  clock: { build: clock }
  sidecar: { build: sidecar, volumes_from: [disk:ro] }
  disk: { build: disk }
`;
  expect(buildList(text, "integration")).toEqual(["integration", "orders", "stub", "clock", "sidecar", "disk"]);
  expect(buildList(text, "unit")).toEqual(["unit"]);
  expect(buildList(text, "db")).toEqual([]);
});

test("services that depend on each other do not go on for ever", () => {
  const text = "services: { a: { build: ., depends_on: [b] }, b: { build: ., depends_on: [a] } }";
  expect(buildList(text, "a")).toEqual(["a", "b"]);
});

test("a file that does not tell by itself means all", () => {
  expect(buildList("include: [more.yml]\nservices: { a: { build: . } }", "a")).toBeUndefined();
  expect(buildList("services: { a: { extends: { file: base.yml, service: b } } }", "a")).toBeUndefined();
  expect(buildList("services: [", "a")).toBeUndefined();
  expect(buildList("nothing", "a")).toBeUndefined();
});
