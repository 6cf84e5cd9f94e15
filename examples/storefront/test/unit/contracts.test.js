import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";
import { createApp } from "../../src/app.js";
import { upstream } from "../../src/upstream.js";

const get = (path, body) => ({ description: `GET ${path}`, request: { method: "GET", path }, response: answer(200, body) });
const answer = (status, body) => ({ status, body, matchingRules: { "$.body": { match: "type" } } });
const release = (service) => get("/", { service, release: "7", commit: "4f3c2a1" });
const order = { sku: "tow-rope", quantity: 2, total: 5_712 };

const contracts = {
  catalog: [
    release("catalog"),
    get("/products", { _embedded: { products: [{ sku: "tow-rope", name: "Tow rope, 20 m", price: { gross: 2_856 } }] } }),
  ],
  orders: [
    release("orders"),
    get("/orders", { _embedded: { orders: [order] } }),
    {
      description: "POST /orders",
      request: { method: "POST", path: "/orders", headers: { "Content-Type": "application/json" }, body: { sku: "tow-rope", quantity: 2 } },
      response: answer(201, order),
    },
  ],
};

/** Plays a provider as its contract says, and notes what of it was asked for. */
async function play(interactions) {
  const asked = new Set();
  const server = createServer((request, response) => {
    const found = interactions.find((each) => each.request.method === request.method && each.request.path === request.url);
    asked.add(found?.description);
    response.writeHead(found?.response.status ?? 500, { "Content-Type": "application/hal+json" });
    response.end(JSON.stringify(found?.response.body ?? {}));
  });
  await new Promise((resolve) => server.listen(0, resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, asked, close: () => server.close() };
}

test("what the storefront asks of others is its contract with them", async () => {
  const [catalog, orders] = [await play(contracts.catalog), await play(contracts.orders)];
  const app = createApp({ catalog: upstream("catalog", catalog.url), orders: upstream("orders", orders.url) });
  const start = await app({ method: "GET", path: "/", accept: "text/html", type: "", body: "" });
  assert.match(start.body, /Tow rope, 20 m.*€ 28\.56/s);
  const body = JSON.stringify({ sku: "tow-rope", quantity: 2 });
  assert.equal((await app({ method: "POST", path: "/orders", accept: "", type: "application/json", body })).status, 201);
  await mkdir("pacts", { recursive: true });
  for (const [provider, { asked, close }] of Object.entries({ catalog, orders })) {
    assert.deepEqual(asked, new Set(contracts[provider].map(({ description }) => description)));
    const metadata = { pactSpecification: { version: "2.0.0" } };
    const pact = { consumer: { name: "storefront" }, provider: { name: provider }, interactions: contracts[provider], metadata };
    await writeFile(`pacts/storefront-${provider}.json`, JSON.stringify(pact));
    close();
  }
});
