import assert from "node:assert/strict";
import { test } from "node:test";

const storefront = process.env.STOREFRONT_URL;
const html = { headers: { Accept: "text/html" } };

test("an order placed on the page appears on the page", async () => {
  assert.match(await fetch(storefront, html).then((response) => response.text()), /None yet/);
  const response = await fetch(`${storefront}/orders`, { method: "POST", body: new URLSearchParams({ sku: "tow-rope" }) });
  assert.equal(response.url, `${storefront}/`);
  assert.match(await fetch(storefront, html).then((answer) => answer.text()), /1 × tow-rope, € 28\.56/);
});

test("what orders refuses is passed on with its reason", async () => {
  const body = JSON.stringify({ sku: "anchor", quantity: 1 });
  const response = await fetch(`${storefront}/orders`, { method: "POST", body });
  assert.equal(response.status, 422);
  assert.match((await response.json()).error, /anchor/);
});

test("a program learns which releases serve", async () => {
  const { releases } = await fetch(`${storefront}/releases`).then((response) => response.json());
  assert.equal(releases.length, 3);
});

test("a body over the limit is refused", async () => {
  const response = await fetch(`${storefront}/orders`, { method: "POST", body: "x".repeat(100_000) });
  assert.equal(response.status, 413);
});
