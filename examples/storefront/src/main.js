import { createApp } from "./app.js";
import { serve } from "./serve.js";
import { upstream } from "./upstream.js";

const { CATALOG_URL, ORDERS_URL, PORT = "8080" } = process.env;
const catalog = upstream("catalog", CATALOG_URL);
const orders = upstream("orders", ORDERS_URL);

serve(createApp({ catalog, orders }), Number(PORT));
