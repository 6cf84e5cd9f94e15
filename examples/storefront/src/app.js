import { page } from "./page.js";
import { UpstreamError } from "./upstream.js";

const { TOWLINE_RELEASE = "none", TOWLINE_COMMIT = "none", TOWLINE_ENVIRONMENT = "none" } = process.env;
const own = {
  service: "storefront",
  release: TOWLINE_RELEASE,
  commit: TOWLINE_COMMIT,
  environment: TOWLINE_ENVIRONMENT,
};

/** `{ method, path, accept, type, body }` → `{ status, body, headers? }`; a body that is text is HTML. */
export function createApp({ catalog, orders }) {
  const routes = {
    // Whether the others are well is theirs to say: a storefront that goes down with its catalog helps nobody.
    "GET /health": () => ({ status: 200, body: { status: "ok" } }),
    "GET /": (request) => start(request),
    "GET /releases": async () => ({ status: 200, body: await releases() }),
    "POST /orders": (request) => order(request),
  };

  async function releases() {
    const starts = await Promise.all([catalog.get("/"), orders.get("/")]);
    const all = [own, ...starts.map(({ body }) => body)];
    return {
      environment: own.environment,
      releases: all.map(({ service, release, commit }) => ({ service, release, commit })),
    };
  }

  async function start({ accept }) {
    const [products, recent, live] = await Promise.all([catalog.get("/products"), orders.get("/orders"), releases()]);
    const view = { products: products.body._embedded.products, orders: recent.body._embedded.orders, ...live };
    if (accept.includes("text/html")) return { status: 200, body: page(view) };
    return { status: 200, body: { ...own, ...view, _links: { self: { href: "/" }, order: { href: "/orders" } } } };
  }

  async function order({ type, body }) {
    const form = type.startsWith("application/x-www-form-urlencoded");
    const wish = form ? Object.fromEntries(new URLSearchParams(body)) : JSON.parse(body);
    const placed = await orders.post("/orders", { sku: wish.sku, quantity: Number(wish.quantity ?? 1) });
    if (form && placed.status === 201) return { status: 303, headers: { Location: "/" }, body: {} };
    return placed;
  }

  return async (request) => {
    const route = routes[`${request.method} ${request.path}`];
    if (!route) return { status: 404, body: { error: `There is nothing at ${request.path}.` } };
    try {
      return await route(request);
    } catch (error) {
      if (error instanceof UpstreamError) return { status: 502, body: { error: error.message } };
      if (error instanceof SyntaxError) return { status: 400, body: { error: "The body is not JSON." } };
      throw error;
    }
  };
}
