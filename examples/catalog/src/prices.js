import { withTax } from "./tax.js";

/** What a product costs, in cents. */
export function priceOf({ net }) {
  return { net, gross: withTax(net), currency: "EUR" };
}
