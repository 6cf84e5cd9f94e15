import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../../src/app.js";
import { UpstreamError } from "../../src/upstream.js";

const rope = { sku: "rope", name: "Rope <20 m>", price: { net: 1_000, gross: 1_190, currency: "EUR" } };
const placed = [];
const catalog = {
  get: async (path) => ({
    status: 200,
    body: path === "/" ? { service: "catalog", release: "7", commit: "abc" } : { _embedded: { products: [rope] } },
  }),
};
const orders = {
  get: async (path) => ({
    status: 200,
    body: path === "/" ? { service: "orders", release: "3", commit: "def" } : { _embedded: { orders: [] } },
  }),
  post: async (path, body) => {
    placed.push(body);
    return { status: 201, body };
  },
};
const app = createApp({ catalog, orders });
const request = (method, path, more = {}) => app({ method, path, accept: "", type: "", body: "", ...more });

test("a browser gets the page, with names that cannot become markup", async () => {
  const { body } = await request("GET", "/", { accept: "text/html" });
  assert.match(body, /Rope &lt;20 m&gt;/);
  assert.match(body, /€ 11\.90/);
});

test("a discount is shown beside the price before", async () => {
  const sale = { ...rope, price: { ...rope.price, gross: 952, before: 1_190, discount: 20 } };
  const withSale = { get: async (path) => (path === "/" ? catalog.get("/") : { body: { _embedded: { products: [sale] } } }) };
  const { body } = await createApp({ catalog: withSale, orders })({ method: "GET", path: "/", accept: "text/html" });
  assert.match(body, /<s>€ 11\.90<\/s> <em>−20 %<\/em> € 9\.52/);
});

test("a program gets the same as JSON", async () => {
  const { body } = await request("GET", "/");
  assert.deepEqual(body.products, [rope]);
  assert.deepEqual(body.releases[1], { service: "catalog", release: "7", commit: "abc" });
});

test("an order from the page goes on to orders and leads back to the page", async () => {
  const form = { type: "application/x-www-form-urlencoded", body: "sku=rope" };
  const answer = await request("POST", "/orders", form);
  assert.equal(answer.status, 303);
  assert.deepEqual(placed.at(-1), { sku: "rope", quantity: 1 });
});

test("a catalog that does not answer is a bad gateway, and the storefront itself stays healthy", async () => {
  const dead = {
    get: async () => {
      throw new UpstreamError("catalog did not answer: ECONNREFUSED");
    },
  };
  const lonely = createApp({ catalog: dead, orders });
  assert.equal((await lonely({ method: "GET", path: "/", accept: "" })).status, 502);
  assert.equal((await lonely({ method: "GET", path: "/health" })).status, 200);
});

test("a body that is not JSON is the caller's fault", async () => {
  assert.equal((await request("POST", "/orders", { type: "application/json", body: "{" })).status, 400);
});
