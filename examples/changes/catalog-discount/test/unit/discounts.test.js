import assert from "node:assert/strict";
import { test } from "node:test";
import { priceOf } from "../../src/prices.js";

test("a discount lowers the price and says what it was before", () => {
  assert.deepEqual(priceOf({ sku: "windlass", net: 1_000 }), {
    net: 800,
    gross: 952,
    before: 1_190,
    discount: 20,
    currency: "EUR",
  });
});

test("without a discount nothing is said of one", () => {
  assert.equal("discount" in priceOf({ sku: "tow-rope", net: 1_000 }), false);
});
