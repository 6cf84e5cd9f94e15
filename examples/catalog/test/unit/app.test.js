import assert from "node:assert/strict";
import { test } from "node:test";
import { handle } from "../../src/app.js";

const get = (path) => handle({ method: "GET", path });

test("the start links to the products", () => {
  const { status, body } = get("/");
  assert.equal(status, 200);
  assert.equal(body._links.products.href, "/products");
});

test("every product of the list can be had alone under its link", () => {
  for (const product of get("/products").body._embedded.products)
    assert.deepEqual(get(product._links.self.href).body, product);
});

test("what is not there is not found, with a way back", () => {
  const { status, body } = get("/products/anchor");
  assert.equal(status, 404);
  assert.equal(body._links.start.href, "/");
});

test("nothing can be changed", () => {
  assert.equal(handle({ method: "POST", path: "/products" }).status, 405);
});
