/** `GET /health` and `GET /metrics` of an agent, for the machines that watch over machines. */
import { createServer, type Server } from "node:http";
import type { AgentContext } from "./agent-context.ts";
import type { HealthPlace } from "./agent-options.ts";
import { freeBytes } from "./readiness.ts";
import { metricsText } from "./tally.ts";

/** Rejects when the port is taken. */
export async function serveHealth(context: AgentContext, { host, port }: HealthPlace): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    void answer(context, request.url ?? "").then(({ status, type, text }) => {
      response.writeHead(status, { "content-type": type }).end(request.method === "HEAD" ? undefined : text);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, () => resolve());
  });
  return { [Symbol.asyncDispose]: () => close(server) };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function answer(context: AgentContext, url: string) {
  const { tally, name, capacity, caches, home } = context;
  if (url === "/health") {
    const { trouble, running } = tally;
    const text = JSON.stringify({
      ok: trouble === undefined,
      agent: name,
      running,
      capacity,
      ...(trouble ? { trouble } : {}),
    });
    return { status: trouble === undefined ? 200 : 503, type: "application/json", text };
  }
  if (url !== "/metrics") return { status: 404, type: "text/plain", text: "there are /health and /metrics\n" };
  const facts = { capacity, freeBytes: await freeBytes(home), cacheBytes: await caches.size() };
  return { status: 200, type: "text/plain; version=0.0.4", text: metricsText(tally, facts) };
}
