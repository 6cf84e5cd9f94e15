/** Per cent off, by sku. */
const discounts = { windlass: 20, lantern: 10 };

export function discountOf(sku) {
  return discounts[sku] ?? 0;
}
