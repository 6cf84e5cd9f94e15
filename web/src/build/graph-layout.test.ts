import { expect, test } from "vitest";
import { drawSteps, sizeOf } from "./graph-layout.ts";

const step = (key: string, ...dependsOn: string[]) => ({ key, kind: "command" as const, dependsOn });

test("what depends on a step stands to the right of it, and no two steps overlap", () => {
  const steps = [step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"), step("alone")];
  const { boxes, edges, width, height } = drawSteps(steps);
  const nodes = [...boxes.values()];
  expect(edges.length).toBe(4);
  for (const { source, target } of edges)
    expect(boxes.get(target)?.x).toBeGreaterThan((boxes.get(source)?.x ?? 0) + 200);
  const { width: wide, height: high } = sizeOf({ kind: "command" });
  for (const [index, one] of nodes.entries())
    for (const two of nodes.slice(index + 1))
      expect(Math.abs(one.x - two.x) >= wide || Math.abs(one.y - two.y) >= high).toBe(true);
  for (const { x, y } of nodes) expect([x + wide <= width, y + high <= height]).toEqual([true, true]);
});

test("the largest build that there may be is drawn in time, and a step that is not there is no dependency", () => {
  const many = Array.from({ length: 500 }, (_, at) => step(`s${at}`, ...(at < 20 ? [] : [`s${at - 20}`])));
  expect(drawSteps(many).boxes.size).toBe(500);
  expect(drawSteps([step("a", "gone")]).edges).toEqual([]);
});
