import { expect, test } from "vitest";
import { layOut } from "../parts/graph/layout.ts";
import { around, mapOf, mapSpacing, nodeSize, widthOf } from "./map-model.ts";

const services = [
  { name: "catalog", needs: [], uses: [] },
  { name: "orders", needs: ["catalog", "elsewhere"], uses: ["db"] },
  { name: "shop", needs: ["catalog", "orders"], uses: [] },
];
const figures = { requests: 2, failed: 0, p95: 7 };
const base = { environment: "test", running: ["catalog", "orders", "shop"], services, backing: ["db"] };
const kinds = (facts: Parameters<typeof mapOf>[0]) =>
  Object.fromEntries(mapOf(facts).edges.map(({ id, kind }) => [id, kind]));

test("what the manifests say is drawn before anybody has asked, as such", () => {
  expect(kinds({ ...base, traffic: undefined })).toEqual({
    "orders catalog": "declared",
    "shop catalog": "declared",
    "shop orders": "declared",
    "orders backing:db": "unmeasured",
  });
});

test("a call that is measured takes the place of the one that is declared, and people come in where they ask", () => {
  const calls = [
    { from: { service: "orders", environment: "test" }, to: "catalog", ...figures },
    { from: null, to: "shop", ...figures },
  ];
  const facts = { ...base, traffic: { services: [], calls } };
  expect(kinds(facts)).toMatchObject({
    "orders catalog": "measured",
    "outside: shop": "measured",
    "shop catalog": "declared",
  });
  expect(mapOf(facts).nodes.map(({ id }) => id)).toEqual(["outside:", "catalog", "orders", "shop", "backing:db"]);
});

test("a caller of another environment is one of its own", () => {
  const calls = [{ from: { service: "orders", environment: "preview-7" }, to: "catalog", ...figures }];
  expect(mapOf({ ...base, traffic: { services: [], calls } }).nodes).toContainEqual({
    ...{ id: "elsewhere:orders in preview-7", kind: "elsewhere", name: "orders in preview-7", figures: null },
  });
});

test("a service that does not run here is not on the map", () => {
  const { nodes, edges } = mapOf({ ...base, running: ["orders"], backing: [], traffic: undefined });
  expect(nodes.map(({ id }) => id)).toEqual(["orders"]);
  expect(edges).toEqual([]);
});

/** Fifty services in five layers, each of which asks up to three of the next layers. */
const fifty = Array.from({ length: 50 }, (_, index) => ({
  name: `service-${index}`,
  needs: [10, 13, 27].map((step) => index + step).flatMap((at) => (at < 50 ? [`service-${at}`] : [])),
  uses: [],
}));
const wide = mapOf({
  ...{ environment: "test", services: fifty, running: fifty.map(({ name }) => name), backing: [] },
  traffic: undefined,
});
const drawn = ({ nodes, edges }: typeof wide) =>
  layOut(
    nodes.map(({ id }) => ({ id, ...nodeSize })),
    edges,
    mapSpacing,
  );

test("of fifty services no two boxes overlap", () => {
  const boxes = [...drawn(wide).boxes.values()];
  expect(boxes).toHaveLength(50);
  const overlaps = boxes.flatMap((a, index) =>
    boxes.slice(index + 1).filter((b) => Math.abs(a.x - b.x) < nodeSize.width && Math.abs(a.y - b.y) < nodeSize.height),
  );
  expect(overlaps).toEqual([]);
});

test("around any one of fifty services there is room to draw all at full size on a laptop", () => {
  for (const { name } of fifty) {
    const near = around(wide, name);
    expect(near.edges.every(({ source, target }) => source === name || target === name)).toBe(true);
    expect(near.nodes.map(({ id }) => id)).toContain(name);
    expect(drawn(near).width).toBeLessThan(1_000);
  }
});

test("an edge grows with its requests, within bounds", () => {
  const width = (requests: number) =>
    widthOf({ id: "", source: "", target: "", kind: "measured", figures: { ...figures, requests } });
  expect(width(1)).toBeLessThan(width(100));
  expect(width(1e9)).toBe(7);
});
