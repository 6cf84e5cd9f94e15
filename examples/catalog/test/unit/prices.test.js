import assert from "node:assert/strict";
import { test } from "node:test";
import { priceOf } from "../../src/prices.js";

test("the gross price holds the tax, in whole cents", () => {
  assert.deepEqual(priceOf({ sku: "rope", net: 1_001 }), { net: 1_001, gross: 1_191, currency: "EUR" });
});
