import assert from "node:assert/strict";
import { test } from "node:test";
import { withTax } from "../../src/tax.js";

test("the tax is that of the country", () => {
  assert.equal(withTax(1_000), 1_190);
});
