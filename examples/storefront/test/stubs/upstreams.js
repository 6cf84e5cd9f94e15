/** Stands in for catalog and orders at once: `node upstreams.js` listens on 8080. */
import { createServer } from "node:http";

const price = { net: 2_400, gross: 2_856, currency: "EUR" };
const orders = [];

const answers = {
  "GET /": () => [200, { service: "stub", release: "1", commit: "0000000" }],
  "GET /products": () => [200, { _embedded: { products: [{ sku: "tow-rope", name: "Tow rope", price }] } }],
  "GET /orders": () => [200, { _embedded: { orders } }],
  "POST /orders": ({ sku, quantity }) => {
    if (sku !== "tow-rope") return [422, { error: `There is no product ${sku}.` }];
    orders.push({ sku, quantity, total: quantity * price.gross });
    return [201, orders.at(-1)];
  },
};

createServer(async (request, response) => {
  const body = (await request.toArray()).join("");
  const [status, answer] = answers[`${request.method} ${request.url}`](body === "" ? {} : JSON.parse(body));
  response.writeHead(status, { "Content-Type": "application/hal+json" }).end(JSON.stringify(answer));
}).listen(8080);
