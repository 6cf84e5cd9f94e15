import assert from "node:assert/strict";
import { test } from "node:test";

const catalog = process.env.CATALOG_URL;

test("whoever follows the links from the start comes to a price", async () => {
  const start = await fetch(catalog).then((response) => response.json());
  const list = await fetch(new URL(start._links.products.href, catalog)).then((response) => response.json());
  const [first] = list._embedded.products;
  const response = await fetch(new URL(first._links.self.href, catalog));
  assert.equal(response.headers.get("content-type"), "application/hal+json");
  assert.ok((await response.json()).price.gross > 0);
});

test("a wrong address gets 404, a wrong method 405", async () => {
  assert.equal((await fetch(`${catalog}/nothing`)).status, 404);
  assert.equal((await fetch(`${catalog}/products`, { method: "DELETE" })).status, 405);
});
