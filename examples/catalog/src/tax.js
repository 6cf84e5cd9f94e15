const rate = 0.19;

/** Cents with value-added tax, rounded to whole cents. */
export function withTax(net) {
  return Math.round(net * (1 + rate));
}
