import { expect, test } from "vitest";
import { fieldUses } from "./field-uses.ts";
import { pactDiff } from "./pact-diff.ts";

const product = (body: object, more: object = {}) => ({
  description: "a product",
  request: { method: "GET", path: "/products/1" },
  response: { status: 200, body },
  ...more,
});
const pact = (...interactions: object[]) => ({ interactions }) as never;

test("a difference is told by interaction and place, with what stood there and what stands there now", () => {
  const before = pact(product({ name: "rope", price: { gross: 1 } }), { description: "gone" });
  const after = pact(product({ name: "rope", price: { total: 1 } }), { description: "new" });
  expect(pactDiff(before, after)).toEqual([
    { interaction: "a product", change: "changed", path: "response.body.price.gross", before: "1", after: null },
    { interaction: "a product", change: "changed", path: "response.body.price.total", before: null, after: "1" },
    { interaction: "gone", change: "removed", path: "", before: null, after: null },
    { interaction: "new", change: "added", path: "", before: null, after: null },
  ]);
});

test("two that say the same do not differ, whatever the order", () => {
  const [one, other] = [product({ a: 1, b: [1, 2] }), { description: "x" }];
  expect(pactDiff(pact(one, other), pact(other, { ...one, _id: "7" }))).toEqual([]);
});

test("who relies on a field of a provider, in any depth, in lists, and on its parts", () => {
  const listed = pact(product({ items: [{ price: { gross: 1 } }], price: 2 }));
  const paths = (field: string) => fieldUses(listed, field).map(({ path }) => path);
  expect(paths("price")).toEqual(["$.items[0].price", "$.price"]);
  expect(paths("$.price")).toEqual(["$.price"]);
  expect(paths("$.items[*].price.gross")).toEqual(["$.items[0].price.gross"]);
  expect(paths("gross")).toEqual(["$.items[0].price.gross"]);
  expect(paths("name")).toEqual([]);
  expect(paths("$")).toEqual([]);
});

test("what a consumer sends counts too, and bodies of every version of the specification", () => {
  const request = { method: "POST", path: "/", body: { content: { sku: "rope" }, contentType: "application/json" } };
  const pacts = pact(product({ content: { sku: 1 } }, { request }), {
    description: "told",
    contents: { content: { sku: 1 } },
  });
  expect(fieldUses(pacts, "sku")).toEqual([
    { interaction: "a product", side: "request", path: "$.sku" },
    { interaction: "a product", side: "response", path: "$.sku" },
    { interaction: "told", side: "response", path: "$.sku" },
  ]);
});
