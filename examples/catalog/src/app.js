import { priceOf } from "./prices.js";
import { products } from "./products.js";

const { TOWLINE_RELEASE = "none", TOWLINE_COMMIT = "none", TOWLINE_ENVIRONMENT = "none" } = process.env;

/** `{ method, path }` → `{ status, body, headers? }`. */
export function handle({ method, path }) {
  if (method !== "GET" && method !== "HEAD") return { status: 405, headers: { Allow: "GET, HEAD" }, body: {} };
  if (path === "/health") return { status: 200, body: { status: "ok" } };
  if (path === "/") return { status: 200, body: root() };
  if (path === "/products") return { status: 200, body: list() };
  const product = products.find(({ sku }) => path === `/products/${sku}`);
  if (product) return { status: 200, body: resource(product) };
  return { status: 404, body: { error: `There is nothing at ${path}.`, _links: { start: { href: "/" } } } };
}

function root() {
  return {
    service: "catalog",
    release: TOWLINE_RELEASE,
    commit: TOWLINE_COMMIT,
    environment: TOWLINE_ENVIRONMENT,
    _links: {
      self: { href: "/" },
      products: { href: "/products" },
      product: { href: "/products/{sku}", templated: true },
    },
  };
}

function list() {
  return { _links: { self: { href: "/products" } }, _embedded: { products: products.map(resource) } };
}

function resource(product) {
  return {
    sku: product.sku,
    name: product.name,
    price: priceOf(product),
    _links: { self: { href: `/products/${product.sku}` }, collection: { href: "/products" } },
  };
}
