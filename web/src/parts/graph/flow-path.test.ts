import { expect, test } from "vitest";
import { flowPath, labelPoint } from "./flow-path.ts";
import { layOut } from "./layout.ts";

const points = [
  { x: 0, y: 0 },
  { x: 100, y: 20 },
  { x: 140, y: 20 },
];

test("a line is flat at each of its points", () => {
  expect(flowPath(points)).toBe("M0 0C50 0 50 20 100 20C120 20 120 20 140 20");
  expect(flowPath([])).toBe("");
});

test("a label stands on the longest piece", () => {
  expect(labelPoint(points)).toEqual({ x: 50, y: 10 });
  expect(labelPoint([])).toEqual({ x: 0, y: 0 });
});

const size = { width: 100, height: 40 };
const spacing = { nodesep: 28, ranksep: 180 };
const line = (source: string, target: string) => ({ id: `${source} ${target}`, source, target });

test("whom a box leads to stands right of it, and a line over a layer runs around the box between", () => {
  const { boxes, lines } = layOut(
    ["a", "b", "c"].map((id) => ({ id, ...size })),
    [line("a", "b"), line("b", "c"), line("a", "c")],
    spacing,
  );
  const x = (id: string) => boxes.get(id)?.x ?? Number.NaN;
  expect(x("a") + size.width).toBeLessThan(x("b"));
  expect(x("b") + size.width).toBeLessThan(x("c"));
  const b = boxes.get("b") ?? { x: 0, y: 0 };
  const inside = (lines.get("a c") ?? []).filter(
    (point) => point.x > b.x && point.x < b.x + size.width && point.y > b.y && point.y < b.y + size.height,
  );
  expect(lines.get("a c")?.length).toBeGreaterThan(2);
  expect(inside).toEqual([]);
});

test("the whole has all lines in it, also one that runs below all boxes", () => {
  const ids = ["people", "storefront", "billing", "orders", "catalog", "payments"];
  const calls = [
    ...["storefront", "orders", "catalog"].map((to) => line("people", to)),
    ...[line("storefront", "catalog"), line("storefront", "orders"), line("billing", "orders")],
    ...[line("orders", "catalog"), line("orders", "payments")],
  ];
  const { lines, width, height } = layOut(
    ids.map((id) => ({ id, ...size })),
    calls,
    spacing,
  );
  const outside = [...lines.values()]
    .flat()
    .filter(({ x, y }) => x < 10 || y < 10 || x > width - 10 || y > height - 10);
  expect(lines.size).toBe(calls.length);
  expect(outside).toEqual([]);
});

test("fifty boxes have places of their own", () => {
  const ids = Array.from({ length: 50 }, (_, index) => `s${index}`);
  const calls = ids.flatMap((id, index) => ids.slice(index + 1, index + 3).map((to) => line(id, to)));
  const { boxes } = layOut(
    ids.map((id) => ({ id, ...size })),
    calls,
    spacing,
  );
  const all = [...boxes.values()];
  const clash = all.some((a, index) =>
    all.slice(index + 1).some((b) => Math.abs(a.x - b.x) < size.width && Math.abs(a.y - b.y) < size.height),
  );
  expect(clash).toBe(false);
});
