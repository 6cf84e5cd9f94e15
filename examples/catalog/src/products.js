/** `net` is in cents. */
export const products = [
  { sku: "tow-rope", name: "Tow rope, 20 m", net: 2_400 },
  { sku: "mooring-pin", name: "Mooring pin", net: 850 },
  { sku: "windlass", name: "Windlass", net: 3_100 },
  { sku: "lantern", name: "Lantern", net: 1_990 },
];
