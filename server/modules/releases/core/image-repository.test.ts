import { expect, test } from "vitest";
import { imageRepository } from "./image-repository.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  [`127.0.0.1:7300/orders@${digest}`, "orders"],
  ["localhost/orders:main", "orders"],
  ["registry.example.com/shop/orders:1.2", "shop/orders"],
  [`shop/orders@${digest}`, "shop/orders"],
  ["orders:1", "orders"],
  ["orders", "orders"],
])("of %s the path is %s", (reference, path) => {
  expect(imageRepository(reference)).toBe(path);
});
