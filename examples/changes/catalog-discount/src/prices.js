import { discountOf } from "./discounts.js";
import { withTax } from "./tax.js";

/** What a product costs, in cents; with a discount also what it cost before. */
export function priceOf({ sku, net }) {
  const discount = discountOf(sku);
  if (discount === 0) return { net, gross: withTax(net), currency: "EUR" };
  const reduced = Math.round(net * (1 - discount / 100));
  return { net: reduced, gross: withTax(reduced), before: withTax(net), discount, currency: "EUR" };
}
